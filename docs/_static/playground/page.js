// @ts-check
// The page on which a reader types a program: it is run, drawn, kept in the address.

(() => {
  /** @returns {any} */
  const find = (query, from = document) => from.querySelector(query);
  /** @returns {any[]} */
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const form = find(".pg-write");
  const text = find("textarea", form);
  const [starts] = all("select", form);
  const behind = find(".pg-behind", form);
  const status = find(".pg-fault", form);
  const figure = find(".pg-write ~ .cell figure.ag");
  const fields = find(".ag-leaves", figure);
  const place = find(".ag-scroll", figure);
  const script = find(".pg-script");
  const examples = all("#twelve-starting-points section").map((section) => ({
    name: find("h3", section).firstChild.textContent,
    text: find("pre", section).textContent.trimEnd(),
  }));
  const { draw, safe, show } = drawing;
  let shown; // the last run without a fault
  let room = place.clientWidth; // asked once: each time the page would be laid out
  let waiting, keeping;

  // The program, set behind the text field: numbers of lines, and the piece that is wrong.
  function set(fault, made = []) {
    const lines = text.value.split("\n");
    text.rows = Math.max(4, lines.length + 1);
    behind.innerHTML = lines
      .map((line, k) => {
        const wrong = fault?.line == k + 1;
        const from = wrong ? Math.min(fault.column - 1, line.length) : line.length;
        const to = wrong ? from + Math.max(1, fault.length) : line.length;
        const piece = wrong ? `<mark>${safe(line.slice(from, to) || " ")}</mark>` : "";
        const nodes = made.flatMap((at, n) => (at == k + 1 ? [`1-${n}`] : [])).join(" ");
        return `<span class="pg-line"${nodes && ` data-made="${nodes}"`}>${safe(line.slice(0, from))}${piece}${safe(line.slice(to)) || (wrong ? "" : " ")}</span>`;
      })
      .join("");
  }

  // What helps against mistakes that beginners make, by what is said of them.
  /** @type {[RegExp, string][]} */
  const HELP = [
    [/no '\^'/, "A power is written x**2."],
    [/no '(for|while|if|def|lambda)'/, "Write each step as a line of its own."],
    [/decimal literal/, "A product needs its sign: 2 * x."],
    [/name '(np|numpy|math)'/, "Write the function alone, as in exp(x)."],
    [/name '(true|false)'/, "Python writes True and False."],
    [/name '(Tensor|array)'/, "Write tensor."],
    [/only for scalar outputs/, "Make one number of the last line, with .sum() for instance. Or give its upstream gradient: y.backward(tensor([1., 1.]))."],
    [/does not require grad|ends in no tensor/, "Begin with a leaf: x = tensor([1., 2.], requires_grad=True)."],
    [/tensor\(\) takes 1/, "Several numbers stand in square brackets: tensor([1., 2.])."],
    [/leaf Variable|inplace operation/, "Give what comes out another name: z = x + 1."],
  ];

  function say(fault) {
    clearTimeout(waiting);
    const write = () => {
      const help = HELP.find(([about]) => about.test(fault?.message))?.[1];
      status.innerHTML = fault
        ? `<strong>Line ${fault.line}, column ${fault.column}:</strong> ${safe(fault.message.replace(/\.?$/, "."))}${help ? ` <em>${safe(help)}</em>` : ""}${shown ? " <span>The drawing shows what ran before.</span>" : ""}`
        : find("strong", status)
          ? safe(place.ariaLabel + ".") // to be heard: what was wrong is no more
          : "";
    };
    if (fault && document.activeElement == text) waiting = setTimeout(write, 400); // a word half typed
    else write();
    text.setAttribute("aria-invalid", !!fault);
    figure.classList.toggle("pg-old", !!fault);
  }

  /** Draw what ran; ``step``: where the walk stands. */
  function redraw(step) {
    const it = draw(shown, room);
    place.innerHTML = it.svg;
    place.ariaLabel = it.name;
    find(".ag-text", figure).innerHTML = it.words;
    find(".ag-data", figure).textContent = JSON.stringify(it.data);
    fields.at = (place) => it.numbers[place];
    set(null, it.lines);
    figure.dispatchEvent(new CustomEvent("redrawn", { detail: step }));
  }

  const leaves = () => shown.nodes.filter(({ id }) => shown.leaves.includes(id));

  /** A field for each leaf; one in which the reader types stays as it is. */
  function offer() {
    const wanted = leaves().map(({ names: [name], value }) => [name, [...value].join(", ")]);
    const own = all("input", fields);
    if (wanted.map(([name]) => name).join() != own.map(({ name }) => name).join()) {
      find(".pg-fields", fields).innerHTML = wanted
        .map(([name]) => `<label>${name} = <input name="${name}" autocomplete="off" spellcheck="false"></label> `)
        .join("");
    }
    all("input", fields).forEach((input, k) => {
      if (input == document.activeElement) return;
      input.value = wanted[k][1];
      input.size = wanted[k][1].length + 4;
    });
  }

  /** Run what stands in the text field. */
  function run(step) {
    starts.value = examples.findIndex((it) => it.text == text.value);
    const result = playground.run(text.value);
    if (result.fault) return say(result.fault), set(result.fault);
    shown = result;
    offer();
    redraw(step);
    say();
    script.textContent = asScript(text.value, result);
    form.dispatchEvent(new CustomEvent("ran", { detail: result }));
  }

  // The address holds the program, and the step of the walk.
  function keep() {
    const address = "#p=" + encodeURIComponent(text.value);
    figure.dataset.address = address + "&s=";
    clearTimeout(keeping);
    keeping = setTimeout(() => history.replaceState(0, "", address), 300);
  }

  function arrive() {
    const [, program, step] = location.hash.match(/^#p=([^&]*)(?:&s=(\d+))?$/) ?? [];
    if (program === undefined) return false;
    try {
      text.value = decodeURIComponent(program);
    } catch {
      return false; // no address of ours
    }
    figure.dataset.address = `#p=${program}&s=`;
    run(step && +step);
    return true;
  }

  // Python writes a float with a point.
  const float = (x) => (Number.isInteger(x) && Math.abs(x) < 1e21 ? x + "." : String(x));
  const list = (numbers, /** @type {number[]} */ [size, ...rest]) => {
    if (size === undefined) return float(numbers[0]);
    const each = numbers.length / size;
    return `[${Array.from({ length: size }, (_, i) => list(numbers.slice(i * each, (i + 1) * each), rest)).join(", ")}]`;
  };

  /** Write a leaf's numbers into the program. */
  function write({ line, text: source, shape }, numbers) {
    const lines = text.value.split("\n");
    const literal = list(numbers, shape);
    const made = /^((?:torch\.)?tensor\s*\()[^=]*?(\s*(?:,\s*\w+\s*=.*)?\))/s;
    const grad = /requires_grad\s*=\s*True/.test(source) ? ", requires_grad=True" : "";
    const now = made.test(source) ? source.replace(made, (_, open, end) => open + literal + end) : `tensor(${literal}${grad})`;
    const before = lines.slice(0, line - 1).join("\n");
    const after = lines.slice(line - 1).join("\n").replace(source, () => now);
    text.value = before + (line > 1 ? "\n" : "") + after;
  }

  /** A file for Python that prints what the page shows. */
  function asScript(program, { nodes, output, leaves }) {
    const of = (id) => nodes.find((node) => node.id == id);
    const code = program.trimEnd().split("\n");
    const { names, line } = of(output);
    const name = names[0] ?? "result";
    if (!names[0]) code[line - 1] = `result = ${code[line - 1]}`;
    const begun = /^[^#]*\.backward\s*\(/m.test(program);
    const grads = leaves.map(of).map(({ names: [leaf], held }) => `print("${leaf}.grad =", ${leaf}.grad${held ? ".tolist()" : ""})`);
    return [
      playground.PRELUDE,
      ...code,
      ...(begun ? [] : [`${name}.backward()`]),
      `print("${name} =", ${name}.tolist())`,
      ...grads,
      "",
    ].join("\n");
  }

  starts.add(new Option("a program of your own", "-1"));
  starts.options[0].hidden = true; // to be read, not to be chosen
  examples.forEach(({ name }, k) => starts.add(new Option(name, String(k))));
  starts.onchange = () => {
    text.value = examples[starts.value].text;
    run();
    status.textContent = place.ariaLabel + "."; // to be heard: the focus stays here
    keep();
  };
  text.oninput = () => {
    run();
    keep();
  };
  text.onscroll = () => (behind.style.transform = `translateX(${-text.scrollLeft}px)`);
  form.onsubmit = (event) => event.preventDefault();
  fields.onsubmit = (event) => event.preventDefault();
  fields.oninput = ({ target }) => {
    const node = leaves().find(({ names }) => names[0] == target.name);
    const { numbers, fault } = readNumbers(target.value, node.value.length);
    target.ariaInvalid = !!fault;
    sayFault(find("[role=status]", fields), fault, node.value.length);
    if (fault) return;
    write(node, numbers);
    run();
    const { names, value, shape } = shown.nodes[shown.output];
    find("[role=status]", fields).textContent = `${names[0] ?? "output"} = ${show(value, shape)}`; // to be heard, too
    keep();
  };
  find(".pg-save").onclick = ({ currentTarget: link }) => {
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([script.textContent], { type: "text/x-python" }));
  };
  addEventListener("hashchange", arrive);
  addEventListener("resize", () => {
    const before = room;
    room = place.clientWidth;
    if (shown && room != before) redraw();
  });

  fields.at = () => undefined;
  fields.innerHTML = 'Change <span class="pg-fields"></span><div role="status"></div>';
  fields.hidden = form.hidden = false;
  if (!arrive()) {
    text.value = examples[0].text;
    run();
  }
})();
