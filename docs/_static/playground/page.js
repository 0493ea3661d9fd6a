// @ts-check
// The page on which a reader types a program: it is run, drawn, kept in the address.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const [form] = all(".pg-write");
  /** @type {HTMLTextAreaElement[]} */
  const [text] = all("textarea", form);
  /** @type {HTMLSelectElement[]} */
  const [starts] = all("select", form);
  const [behind] = all(".pg-behind", form);
  const [status] = all(".pg-fault", form);
  const [figure] = all(".pg-write ~ .cell figure.ag");
  /** @type {LeavesForm[]} */
  const [fields] = all(".ag-leaves", figure);
  const [place] = all(".ag-scroll", figure);
  const [script] = all(".pg-script");
  /** @type {HTMLAnchorElement[]} */
  const [save] = all(".pg-save");
  const examples = all("#twelve-starting-points section").map((section) => ({
    name: all("h3", section)[0].firstChild?.textContent ?? "",
    text: all("pre", section)[0].textContent.trimEnd(),
  }));
  const { draw, safe, show } = drawing;
  /** @type {Done | undefined} */
  let shown; // the last run without a fault
  let room = place.clientWidth; // asked once: each time the page would be laid out
  let [waiting, keeping] = [0, 0];

  /** The program, set behind the text field: which line made which box, and the piece that is wrong.
   * @type {(fault: Fault | null, made?: number[]) => void} */
  function set(fault, made = []) {
    const lines = text.value.split("\n");
    text.rows = Math.max(4, lines.length + 1);
    behind.innerHTML = lines
      .map((line, k) => {
        const wrong = fault?.line == k + 1 && fault;
        const from = wrong ? Math.min(wrong.column - 1, line.length) : line.length;
        const to = wrong ? from + Math.max(1, wrong.length) : line.length;
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
    [/only for scalar outputs/, "Make one number of the last line, as with .sum(). Or give its upstream gradient: y.backward(tensor([1., 1.]))."],
    [/does not require grad[^]*requires_grad/, "No leaf leads here: see detach() and no_grad()."],
    [/('NoneType'|ends in no tensor)[^]*\.grad/, "x.grad is None before y.backward()."],
    [/does not require grad|ends in no tensor/, "Begin with a leaf: x = tensor([1., 2.], requires_grad=True)."],
    [/tensor\(\) takes/, "Numbers stand in square brackets: tensor([1., 2.])."],
    [/'zero_/, "Write x.grad = None."],
    [/leaf as it is/, "Make a new leaf: w = (x - 0.1 * x.grad).detach().requires_grad_()."],
    [/in place out[^]*\] *[-+*/]*= /, "Make it anew: stack([a, b])."],
    [/leaf Variable|inplace operation|in place out/, "Give it another name: z = x + 1."],
  ];

  /** @type {(fault?: Fault) => void} */
  function say(fault) {
    clearTimeout(waiting);
    const write = () => {
      const help = HELP.find(([about]) => about.test(fault?.message + "\n" + text.value))?.[1];
      status.innerHTML = fault
        ? `<strong>Line ${fault.line}, column ${fault.column}:</strong> ${safe(fault.message.replace(/\.?$/, "."))}${help ? ` <em>${safe(help)}</em>` : ""}${shown ? " <span>The drawing shows what ran before.</span>" : ""}`
        : all("strong", status)[0]
          ? safe(place.ariaLabel + ".") // to be heard: what was wrong is no more
          : "";
    };
    if (fault && document.activeElement == text) waiting = setTimeout(write, 400); // a word half typed
    else write();
    text.setAttribute("aria-invalid", String(!!fault));
    figure.classList.toggle("pg-old", !!fault);
  }

  /** Draw what ran; ``step``: where the walk stands. @type {(result: Done, step?: number) => void} */
  function redraw(result, step) {
    const it = draw(result, room);
    place.innerHTML = it.svg;
    place.ariaLabel = it.name;
    all(".ag-text", figure)[0].innerHTML = it.words;
    all(".ag-data", figure)[0].textContent = JSON.stringify(it.data);
    fields.at = (place) => it.numbers[place];
    set(null, it.lines);
    figure.dispatchEvent(new CustomEvent("redrawn", { detail: step }));
  }

  const leavesOf = (/** @type {Done} */ { nodes, leaves }) => nodes.filter(({ id }) => leaves.includes(id));

  /** @returns {HTMLInputElement[]} */
  const inputs = () => all("input", fields);

  /** A field for each leaf; one in which the reader types stays as it is. */
  function offer(/** @type {Done} */ result) {
    const wanted = leavesOf(result).map(({ names: [name], value }) => ({ name, numbers: [...value].join(", ") }));
    fields.hidden = !wanted.length;
    if (wanted.map(({ name }) => name).join() != inputs().map(({ name }) => name).join()) {
      all(".pg-fields", fields)[0].innerHTML = wanted
        .map(({ name }) => `<label>${name} = <input name="${name}" autocomplete="off" spellcheck="false"></label> `)
        .join("");
    }
    inputs().forEach((input, k) => {
      if (input == document.activeElement) return;
      input.value = wanted[k].numbers;
      input.size = wanted[k].numbers.length + 4;
    });
  }

  /** Run what stands in the text field. @type {(step?: number) => void} */
  function run(step) {
    starts.value = String(examples.findIndex((it) => it.text == text.value));
    const result = playground.run(text.value);
    if (result.fault) return say(result.fault), set(result.fault);
    shown = result;
    offer(result);
    redraw(result, step);
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
    run(step ? +step : undefined);
    return true;
  }

  // Python writes a float with a point.
  const float = (/** @type {number} */ x) => (Number.isInteger(x) && Math.abs(x) < 1e21 ? x + "." : String(x));
  /** @type {(numbers: number[], shape: number[]) => string} */
  const list = (numbers, [size, ...rest]) => {
    if (size === undefined) return float(numbers[0]);
    const each = numbers.length / size;
    return `[${Array.from({ length: size }, (_, i) => list(numbers.slice(i * each, (i + 1) * each), rest)).join(", ")}]`;
  };

  /** Write a leaf's numbers into the program. @type {(leaf: Ran, numbers: number[]) => void} */
  function write({ line, text: source, shape }, numbers) {
    const lines = text.value.split("\n");
    const literal = list(numbers, shape);
    const made = /^((?:torch\.)?tensor\s*\()[^=]*?(\s*(?:,\s*\w+\s*=.*)?\))/s;
    const grad = /requires_grad\s*=\s*True/.test(source) ? ", requires_grad=True" : "";
    const now = made.test(source) ? source.replace(made, (_, open, end) => open + literal + end) : `tensor(${literal}${grad})`;
    const rest = lines.splice(line - 1).join("\n").replace(source, () => now);
    text.value = [...lines, rest].join("\n");
  }

  /** A file for Python that prints what the page shows. @type {(program: string, result: Done) => string} */
  function asScript(program, result) {
    const code = program.trimEnd().split("\n");
    const { names, line } = result.nodes[result.output];
    const name = names[0] ?? "result";
    if (!names[0]) code[line - 1] = `result = ${code[line - 1]}`;
    const begun = /^[^#]*\.backward\s*\(/m.test(program);
    const grads = leavesOf(result).map(({ names: [leaf], held }) => `print("${leaf}.grad =", ${leaf}.grad${held ? ".tolist()" : ""})`);
    return [
      playground.PRELUDE,
      ...code,
      ...(begun ? [] : [`${name}.backward()`]),
      `print("${name} =", ${name}.tolist())`,
      ...(grads[0] ? grads : ["# No leaf with a name has a .grad."]),
      "",
    ].join("\n");
  }

  starts.add(new Option("a program of your own", "-1"));
  starts.options[0].hidden = true; // to be read, not to be chosen
  examples.forEach(({ name }, k) => starts.add(new Option(name, String(k))));
  starts.onchange = () => {
    text.value = examples[+starts.value].text;
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
    if (!shown || !(target instanceof HTMLInputElement)) return;
    const node = leavesOf(shown).find(({ names }) => names[0] == target.name);
    if (!node) return;
    const { numbers, fault } = readNumbers(target.value, node.value.length);
    target.ariaInvalid = String(!!fault);
    sayFault(all("[role=status]", fields)[0], fault, node.value.length);
    if (fault) return;
    write(node, numbers);
    run();
    const { names, value, shape } = shown.nodes[shown.output];
    all("[role=status]", fields)[0].textContent = `${names[0] ?? "output"} = ${show(value, shape)}`; // to be heard, too
    keep();
  };
  save.onclick = () => {
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(new Blob([script.textContent], { type: "text/x-python" }));
  };
  addEventListener("hashchange", arrive);
  addEventListener("resize", () => {
    const before = room;
    room = place.clientWidth;
    if (shown && room != before) redraw(shown);
  });

  fields.at = () => undefined;
  fields.innerHTML = 'Change <span class="pg-fields"></span><div role="status"></div>';
  form.hidden = false;
  if (!arrive()) {
    text.value = examples[0].text;
    run();
  }
})();
