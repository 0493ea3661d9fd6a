-- Turn what only Sphinx knows into what every notebook reader shows.

local titles = {predict = "Predict", exercise = "Exercise"}
local quoted = {note = true, tip = true, warning = true, important = true}

function Code(el)
  local role = el.attributes.role
  if not role then return nil end
  if role == "law" then return pandoc.Math("InlineMath", el.text) end
  local text = el.text:match("^(.-)%s*<[^>]*>$")
  if text then return pandoc.Str(text) end
  if role == "doc" or role == "ref" or role == "step" then return pandoc.Emph(el.text) end
  return pandoc.Code((el.text:gsub("^~.*%.", "")))
end

function Note(el)
  -- Notebook readers have no footnotes.
  local inlines = pandoc.utils.blocks_to_inlines(el.content)
  return {pandoc.Str(" ("), pandoc.Span(inlines), pandoc.Str(")")}
end

function DefinitionList(el)
  local items = {}
  for _, item in ipairs(el.content) do
    local inlines = pandoc.List{pandoc.Strong(item[1]), pandoc.Str(": ")}
    inlines:extend(pandoc.utils.blocks_to_inlines(item[2][1]))
    table.insert(items, {pandoc.Plain(inlines)})
  end
  return pandoc.BulletList(items)
end

function Div(el)
  local class = el.classes[1]
  local title = titles[class]
  if title then
    table.insert(el.content, 1, pandoc.Para(pandoc.Strong(title)))
  elseif class == "answer" then
    local open = "<details><summary>Answer</summary>"
    table.insert(el.content, 1, pandoc.RawBlock("html", open))
    table.insert(el.content, pandoc.RawBlock("html", "</details>"))
  elseif class == "title" then
    return pandoc.Para(pandoc.Strong(pandoc.utils.stringify(el)))
  elseif quoted[class] then
    return pandoc.BlockQuote(el.content)
  end
  return el.content
end

function Span(el) return el.content end
