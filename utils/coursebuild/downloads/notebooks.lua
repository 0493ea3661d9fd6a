-- Turn what only Sphinx knows into what every notebook reader shows.

local titles = {
  predict = "Predict", exercise = "Exercise", seealso = "See also", todo = "To do"
}
local stands = {  -- what pandoc gives a title, or its author did
  note = true, tip = true, warning = true, important = true, hint = true,
  caution = true, danger = true, attention = true, error = true,
  admonition = true, seealso = true, todo = true
}
local exercises = 0

function Code(el)
  local role = el.attributes.role
  el.text = el.text:gsub("\u{e000}", "`")
  if not role then return pandoc.Code(el.text) end
  if role == "law" then return pandoc.Math("InlineMath", el.text) end
  local text = el.text:match("^(.-)%s*<[^>]*>$")
  if text then return pandoc.Str(text) end
  if role == "doc" or role == "ref" or role == "step" then return pandoc.Emph(el.text) end
  if role == "term" then return pandoc.Str(el.text) end
  return pandoc.Code((el.text:gsub("^~.*%.", "")))
end

function Link(el)
  -- A notebook has no such places.
  if el.target:sub(1, 1) == "#" then return el.content end
end

function CodeBlock(el)
  el.text = el.text:gsub("\u{e000}", "`")
  local caption = el.attributes.caption
  if not caption then return el end
  el.attributes.caption = nil
  return {pandoc.Para(pandoc.Strong(caption)), el}
end

function Note(el)
  -- Notebook readers have no footnotes.
  local inlines = pandoc.utils.blocks_to_inlines(el.content)
  return {pandoc.Str(" ("), pandoc.Span(inlines), pandoc.Str(")")}
end

function Image(el)
  el.attributes = {}
  return el
end

function Figure(el)
  local blocks = pandoc.List()
  for _, block in ipairs(el.content) do
    blocks:insert(pandoc.Para(block.content or {}))
  end
  for _, block in ipairs(el.caption.long) do
    blocks:insert(pandoc.Para(block.content or {}))
  end
  return blocks
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

-- A table of Markdown takes each "|" for the end of a cell, and lines for rows.

local function item(blocks)
  local inlines = pandoc.List{pandoc.Str("• ")}
  inlines:extend(pandoc.utils.blocks_to_inlines(blocks))
  return pandoc.Plain(inlines)
end

local within = {
  Math = function(el)
    if el.text:find("\\begin{array}") then return nil end
    el.text = el.text:gsub("\\|", "\\Vert "):gsub("|", "\\vert "):gsub("%s*\n%s*", " ")
    return el
  end,
  Code = function(el)
    if not el.text:find("|") then return nil end
    local text = el.text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub("|", "&#124;")
    return pandoc.RawInline("html", "<code>" .. text .. "</code>")
  end,
  SoftBreak = function() return pandoc.Space() end,
  LineBreak = function() return pandoc.RawInline("html", "<br>") end,
  BulletList = function(el) return el.content:map(item) end,
  OrderedList = function(el) return el.content:map(item) end
}

local spanned = {  -- in HTML, a formula is what stands between dollars
  Math = function(el)
    local text = el.text:gsub("&", "&amp;"):gsub("<", "&lt;")
    local mark = el.mathtype == "InlineMath" and "$" or "$$"
    return pandoc.RawInline("html", mark .. text .. mark)
  end
}

local function spans(el)
  local found = false
  el:walk{Table = function(t)
    local rows = pandoc.List(t.head.rows)
    for _, body in ipairs(t.bodies) do rows:extend(body.body) end
    for _, row in ipairs(rows) do
      for _, cell in ipairs(row.cells) do
        found = found or cell.row_span > 1 or cell.col_span > 1
      end
    end
  end}
  return found
end

local function flat(cell)
  local blocks = pandoc.Blocks(cell.contents):walk(within)
  local lines = pandoc.RawInline("html", "<br>")
  local inlines = pandoc.utils.blocks_to_inlines(blocks, {lines})
  cell.contents = {pandoc.Plain(inlines)}
end

function Table(el)
  if spans(pandoc.Blocks{el}) then return el:walk(spanned) end
  for i, spec in ipairs(el.colspecs) do el.colspecs[i] = {spec[1], nil} end
  for _, row in ipairs(el.head.rows) do
    for _, cell in ipairs(row.cells) do flat(cell) end
  end
  for _, body in ipairs(el.bodies) do
    for _, row in ipairs(body.body) do
      for _, cell in ipairs(row.cells) do flat(cell) end
    end
  end
  return el
end

function Div(el)
  local class = el.classes[1]
  local title = titles[class]
  if class == "exercise" then
    exercises = exercises + 1
    title = title .. " " .. exercises
  end
  if title then
    table.insert(el.content, 1, pandoc.Para(pandoc.Strong(title)))
  elseif class == "admonition" then
    local name = pandoc.utils.blocks_to_inlines({el.content[1]})
    el.content[1] = pandoc.Para(pandoc.Strong(name))
  elseif class == "answer" or class == "later" then
    local summary = class == "answer" and "Answer" or "Read on when you have answered"
    local open = "<details><summary>" .. summary .. "</summary>"
    table.insert(el.content, 1, pandoc.RawBlock("html", open))
    table.insert(el.content, pandoc.RawBlock("html", "</details>"))
  elseif class == "title" then
    return pandoc.Para(pandoc.Strong(pandoc.utils.stringify(el)))
  end
  if stands[class] then return pandoc.BlockQuote(el.content) end
  return el.content
end

function Span(el) return el.content end
