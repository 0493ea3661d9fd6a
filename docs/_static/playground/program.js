// @ts-check
// Run a few lines of Python's spelling as PyTorch would: tokens, parser, values, backward pass.
// Nothing is handed to the browser as code; names live in Maps, out of reach of any prototype.

/**
 * run(text, {leaves, without}): run a program; `leaves` replaces values of leaves, by id; `without`
 * leaves the backward pass out. Never throws: { fault, nodes, output, leaves, steps }.
 * OPERATIONS: what a program may write. PRELUDE: the lines with which torch runs it unchanged.
 */
const playground = (() => {
  const T = tensors;
  /** @type {Refuse} */
  const refuse = T.refuse;
  const LONG = { text: 20000, tokens: 4000, depth: 60, links: 300, nodes: 200 };

  // Values.
  const kind = (/** @type {Value} */ v) => {
    if (v == null || v.said) return "NoneType";
    if (typeof v == "boolean") return "bool";
    if (v.list) return v.tuple ? "tuple" : "list";
    if (v.module) return "module";
    return v.node || v.mask ? "Tensor" : v.call ? "function" : v.dtype ? "dtype" : v.noGrad ? "no_grad" : v.int ? "int" : "float";
  };
  /** @type {(v: Value) => v is Kind<"number">} */
  const isNumber = (v) => v?.n != null;
  const whole = (/** @type {number} */ n) => ({ n, int: true });
  /** @type {(v: Value) => string} */
  const shown = (v) => (v?.mask ? nested(v.mask, v.shape) : v?.list ? `[${v.list.map(shown).join(", ")}]` : isNumber(v) ? String(v.n).replace("Infinity", "inf").toLowerCase() : v ? "True" : "False");

  /** @type {(all: Entries, shape: number[]) => string} */
  const nested = (all, [n, ...rest]) => {
    const each = all.length / n;
    return n ? shown({ list: Array.from({ length: n }, (_, i) => ({ mask: all.slice(i * each, (i + 1) * each), shape: rest })) }) : shown(!!all[0]);
  };

  /** Return the lines up to a place: how many there are is its line, the last one's length its column.
   * @type {(text: string, at: number) => string[]} */
  const linesTo = (text, at) => text.slice(0, at).split("\n");

  // Tokens.
  const pattern =
    /([ \t\r\f]+|#[^\n]*|\\\r?\n)|(\n)|((?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|(\*\*=|\/\/=|\*\*|\/\/|[-+*/@%&|^<>=!]=|:=|->|\.\.\.|[-+*/@%&|^~<>()[\]{},:.=;])/uy;
  const margin = /[ \t\r\f]*/y;
  const types = ["", "gap", "newline", "number", "name", "sign"];

  /** @typedef {Place & { type: string, word: string }} Token */
  /** Return the tokens, and the last bracket that stays open.
   * @type {(text: string) => [Token[], Token | undefined]} */
  function tokenize(text) {
    /** @type {Token[]} */
    const tokens = [];
    const indents = [0];
    /** @type {Token[]} */
    const open = []; // brackets
    let [at, fresh] = [0, true];
    /** @type {(type: string, word: string, start: number, end: number) => void} */
    const push = (type, word, start, end) => tokens.push({ type, word, at: start, end });
    /** @type {(message: string, start: number, end: number, reason?: string) => never} */
    const fault = (message, start, end, reason = "syntax") => {
      throw { reason, message, place: { at: start, end } };
    };
    while (at < text.length) {
      if (fresh && !open.length) {
        margin.lastIndex = at;
        const [blank] = margin.exec(text) ?? [""];
        const next = text[at + blank.length];
        if (next && next != "\n" && next != "#") {
          const width = blank.replace(/\t/g, " ".repeat(8)).length;
          if (width > (indents.at(-1) ?? 0)) push("indent", "", at, at + width), indents.push(width);
          for (; width < (indents.at(-1) ?? 0); indents.pop()) push("dedent", "", at, at);
          if (width != indents.at(-1)) fault("unindent does not match any outer indentation level", at, at + width);
        }
        fresh = false;
      }
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (!found) fault(`invalid character '${String.fromCodePoint(text.codePointAt(at) ?? 0)}'`, at, at + 1);
      const type = types[found.findIndex((w, i) => i && w != null)];
      const [word] = found;
      const end = at + word.length;
      if (type == "number" && (/^[\p{L}\d_.]/u.test(text.slice(end, end + 2)) || /^0\d+$/.test(word)) && +word)
        fault("invalid decimal literal", at, end);
      if ("([{".includes(word)) open.push({ type, word, at, end });
      if (")]}".includes(word)) open.pop();
      if (type == "newline") {
        if (!open.length && tokens.length && tokens.at(-1)?.type != "newline") push("newline", "\n", at, at);
        if (!open.length) fresh = true;
      } else if (type != "gap") push(type, word, at, end);
      at = end;
      if (tokens.length > LONG.tokens) fault("The program is too long for the playground", at, at, "long");
    }
    push("newline", "", at, at);
    while (indents.pop()) push("dedent", "", at, at);
    push("end", "", at, at);
    return [tokens, open.pop()];
  }

  // The parser turns tokens into closures: statement(state), expression(state).
  /** @type {Map<string, Value>} */
  const CONSTANTS = new Map([["True", true], ["False", false], ["None", null]]);
  const words =
    /^(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/;

  /** Some have a place to which a value can be assigned.
   * @typedef {{ (state: State): Value, variable?: string, attribute?: { name: string, of: Expression },
   *   item?: Expression, calling?: boolean, tuple?: boolean }} Expression
   * @typedef {(state: State) => void} Statement */

  /** @type {(text: string) => Statement[]} */
  function parse(text) {
    const [tokens, open] = tokenize(text);
    let [k, depth, links] = [0, 0, 0];
    const is = (/** @type {string[]} */ ...list) => tokens[k].type == "sign" && list.includes(tokens[k].word);
    const word = (/** @type {string} */ w) => tokens[k].type == "name" && tokens[k].word == w;
    const type = (/** @type {string} */ t) => tokens[k].type == t;
    /** @type {(message?: string, reason?: string, place?: Place) => never} */
    const fault = (message = "invalid syntax", reason = "syntax", place = tokens[k]) => {
      if (reason == "syntax" && open && open.at < place.at) [message, place] = [`'${open.word}' was never closed`, open];
      throw { reason, message, place };
    };
    /** @type {() => never} */
    const outside = () => fault(`The playground has no '${tokens[k].word}'`, "outside");
    const need = (/** @type {string} */ sign) => (is(sign) ? k++ : fault(type("newline") && sign != ":" ? `invalid syntax: '${sign}' is missing` : undefined));
    const from = (/** @type {number} */ first) => ({ at: tokens[first].at, end: tokens[k - 1].end });

    // What hangs on one another in a statement is called one inside the other.
    const link = () => ++links > LONG.links && fault("The line is too long for the playground", "long");

    /** @type {<R>(act: () => R) => R} */
    function nested(act) {
      if (++depth > LONG.depth) fault("too many nested parentheses", "long");
      const found = act();
      depth--;
      return found;
    }

    /** @returns {Statement[]} */
    function block() {
      need(":");
      if (!type("newline")) return simple();
      k++;
      if (!type("indent")) fault("expected an indented block after 'with' statement");
      k++;
      /** @type {Statement[]} */
      const found = [];
      while (!type("dedent")) found.push(...statement());
      k++;
      return found;
    }

    /** @returns {Statement[]} */
    function statement() {
      if (type("indent")) fault("unexpected indent");
      if (!word("with")) return simple();
      return nested(() => {
        k++;
        const first = k;
        const context = expression();
        const place = from(first);
        const inner = block();
        return [
          (state) => {
            if (context(state) != NO_GRAD) refuse("outside", "The playground has with torch.no_grad(), no other 'with'", place);
            const before = state.mode;
            state.mode = false;
            inner.forEach((act) => act(state));
            state.mode = before;
          },
        ];
      });
    }

    function simple() {
      /** @type {Statement[]} */
      const found = [];
      while (!type("newline")) {
        found.push(...small());
        if (!is(";")) break;
        k++;
      }
      if (!type("newline")) fault();
      k++;
      return found;
    }

    /** @returns {Statement[]} */
    function small() {
      links = 0;
      if (word("import") || word("from")) {
        const first = k;
        while (!type("newline") && !is(";")) k++; // the lines of PRELUDE, pasted
        const all = tokens.slice(first, k).map((token) => token.word);
        const drawn = all[1] == "torchutils" ? all.filter((name) => /^(make_dot|record_backward)$/.test(name)) : [];
        return drawn.map((name) => (state) => state.names.set(name, SAID));
      }
      if (word("pass")) return k++, [];
      const first = k;
      /** @type {[Expression, Place][]} */
      const targets = [];
      let value = list();
      let place = from(first);
      while (is("=")) {
        targets.push([value, place]);
        const start = ++k;
        value = list();
        place = from(start);
      }
      const augmented = type("sign") && /^(\*\*|\/\/|[-+*/@%&|^])=$/.test(tokens[k].word) && tokens[k++].word.slice(0, -1);
      if (augmented) {
        const change = list();
        return [inPlace(value, place, augmented, change, from(first))];
      }
      for (const [target, where] of targets) if (!target.variable && !target.attribute && !target.item) cannot(target, where);
      const end = place;
      return [
        (state) => {
          const result = value(state);
          for (const [target, where] of targets.slice().reverse()) assign(state, target, where, result);
          if (!result?.said && !targets.some(([target]) => target.attribute)) state.last = { value: result, place: end };
        },
      ];
    }

    /** @type {(target: Expression, place: Place) => never} */
    const cannot = (target, place) =>
      fault(`cannot assign to ${target.calling ? "function call" : "expression"} here`, target.tuple ? "outside" : "syntax", place);

    /** @type {(target: Expression, where: Place, sign: string, change: Expression, place: Place) => Statement} */
    function inPlace(target, where, sign, change, place) {
      if (!target.variable && !target.attribute && !target.item) cannot(target, where);
      return (state) => {
        const [old, by] = [target(state), change(state)];
        located(place, () => {
          const into = old?.node && sign != "@" ? old : null; // torch has no @= of its own
          if (!into && !target.variable) refuseInPlace();
          const value = arithmetic(sign, old, by, state, place, into);
          if (!into && target.variable) state.names.set(target.variable, value);
          state.last = { value, place };
        });
      };
    }

    /** An expression, or several with commas: a tuple. */
    /** @returns {Expression} */
    function list() {
      const first = expression();
      if (!is(",")) return first;
      const all = [first];
      while (is(",")) {
        k++;
        if (type("newline") || is("=", ")", "]", ";")) break;
        all.push(expression());
      }
      return Object.assign((/** @type {State} */ state) => ({ list: all.map((e) => e(state)), tuple: true }), { tuple: true });
    }

    const expression = () => nested(comparison);

    /** @returns {Expression} */
    function comparison() {
      const first = k;
      let left = sum();
      if (is("<", ">", "<=", ">=", "==", "!=")) {
        const { word: sign } = tokens[k++];
        const [a, b] = [left, sum()];
        const place = from(first);
        if (is("<", ">", "<=", ">=", "==", "!=")) outside();
        left = (state) => located(place, () => compare(sign, a(state), b(state)));
      }
      if (is("&", "|", "^", ":=") || ["and", "or", "if", "not", "in", "is"].some(word)) outside();
      return left;
    }

    /** @type {(part: () => Expression, signs: string[]) => () => Expression} */
    const chain = (part, signs) => () => {
      const first = k;
      let left = part();
      while (is(...signs)) {
        link();
        const sign = tokens[k++].word;
        const [a, b] = [left, part()];
        const place = from(first);
        left = (state) => located(place, () => arithmetic(sign, a(state), b(state), state, place));
      }
      return left;
    };
    const product = chain(() => unary(), ["*", "/", "@", "%", "//"]);
    const sum = chain(product, ["+", "-"]);

    /** @returns {Expression} */
    function unary() {
      const first = k;
      if (!is("-", "+", "~")) return powered();
      if (is("~")) outside();
      const sign = tokens[k++].word;
      const value = nested(unary);
      const place = from(first);
      return (state) => located(place, () => signed(sign, value(state), state, place));
    }

    /** @returns {Expression} */
    function powered() {
      const first = k;
      const base = postfix();
      if (!is("**")) return base;
      k++;
      const exponent = nested(unary);
      const place = from(first);
      return (state) => located(place, () => arithmetic("**", base(state), exponent(state), state, place));
    }

    /** @returns {Expression} */
    function postfix() {
      const first = k;
      let value = atom();
      while (is(".", "(", "[")) {
        link();
        const object = value;
        const { word: sign } = tokens[k++];
        if (sign == ".") value = attribute(object, first);
        else if (sign == "(") value = call(object, first);
        else value = item(object, first);
      }
      return value;
    }

    /** @type {(object: Expression, first: number) => Expression} */
    function attribute(object, first) {
      if (!type("name")) fault();
      const name = tokens[k++];
      /** @type {Expression} */
      const get = (state) => located(name, () => member(object(state), name.word, state, from_));
      const from_ = from(first);
      return Object.assign(get, { attribute: { name: name.word, of: object } });
    }

    /** @type {(object: Expression, first: number) => Expression} */
    function call(object, first) {
      /** @type {Expression[]} */
      const positional = [];
      /** @type {Map<string, Expression>} */
      const named = new Map();
      while (!is(")")) {
        if (is("*", "**")) outside();
        const name = tokens[k].word;
        if (type("name") && tokens[k + 1].type == "sign" && tokens[k + 1].word == "=") {
          if (named.has(name)) fault(`keyword argument repeated: ${name}`);
          k += 2;
          named.set(name, expression());
        } else {
          if (named.size) fault("positional argument follows keyword argument");
          positional.push(expression());
        }
        if (!is(",")) break;
        k++;
      }
      need(")");
      const place = from(first);
      /** @type {Expression} */
      const get = (state) =>
        located(place, () => {
          const f = object(state);
          if (!f?.call) refuse("type", `'${kind(f)}' object is not callable`);
          /** @type {[string, Value][]} */
          const values = [...named].map(([name, e]) => [name, e(state)]);
          return f.call(positional.map((e) => e(state)), new Map(values.reverse()), state, place);
        });
      return Object.assign(get, { calling: true });
    }

    /** @type {(object: Expression, first: number) => Expression} */
    function item(object, first) {
      /** @type {Expression[]} */
      const items = [];
      while (!is("]")) {
        items.push(index());
        if (!is(",")) break;
        k++;
      }
      if (!items.length) fault();
      need("]");
      const place = from(first);
      /** @type {Expression} */
      const get = (state) => located(place, () => subscript(object(state), items.map((e) => e(state)), state, place));
      return Object.assign(get, { item: object });
    }

    /** @returns {Expression} */
    function index() {
      /** @type {Expression[]} */
      const bounds = [];
      let colons = 0;
      for (; colons < 3; colons++) {
        bounds.push(is(":", "]", ",") ? () => null : expression());
        if (!is(":")) break;
        k++;
      }
      if (!colons) return bounds[0];
      return (state) => ({ slice: [0, 1, 2].map((i) => bounds[i]?.(state) ?? null) });
    }

    /** @returns {Expression} */
    function atom() {
      const token = tokens[k];
      if (type("number")) {
        const n = { n: +token.word.replace(/_/g, ""), int: /^[\d_]+$/.test(token.word) };
        return k++, () => n;
      }
      if (type("name")) return name();
      if (!is("(", "[")) {
        if (is("{", "...")) outside();
        fault(type("newline") || type("end") ? "invalid syntax: the expression ends too early" : undefined);
      }
      k++;
      return token.word == "(" ? round() : square();
    }

    /** @returns {Expression} */
    function name() {
      const token = tokens[k];
      if (words.test(token.word)) outside();
      k++;
      const constant = CONSTANTS.get(token.word);
      if (constant !== undefined) return () => constant;
      return Object.assign((/** @type {State} */ state) => located(token, () => lookUp(token.word, state)), { variable: token.word });
    }

    /** @returns {Expression} */
    function round() {
      if (is(")")) return k++, () => ({ list: [], tuple: true });
      const value = list();
      need(")");
      return (state) => value(state); // no longer a target
    }

    /** @returns {Expression} */
    function square() {
      /** @type {Expression[]} */
      const all = [];
      while (!is("]")) {
        all.push(expression());
        if (word("for")) outside();
        if (!is(",")) break;
        k++;
      }
      need("]");
      return (state) => ({ list: all.map((e) => e(state)) });
    }

    /** @type {Statement[]} */
    const program = [];
    while (!type("end")) type("newline") ? k++ : program.push(...statement());
    return program;
  }

  // Values.

  /** Run; a refusal that has no place yet gets this one.
   * @type {<R>(place: Place | undefined, act: () => R) => R} */
  function located(place, act) {
    try {
      return act();
    } catch (fault) {
      if (fault.reason) fault.place ??= place;
      throw fault;
    }
  }

  /** @type {(name: string, state: State) => Value} */
  const lookUp = (name, { names }) => {
    const own = names.get(name);
    const found = own === undefined ? GLOBALS.get(name) : own;
    return found === undefined ? refuse("name", `name '${name}' is not defined`) : found;
  };

  /** Add a node: operands are nodes and plain numbers in the operation's own order.
   * @type {(state: State, op: string, operands: (Operand | Value)[], result: Filled & Partial<Result>, attributes: string[], place: Place,
   *   into?: Kind<"tensor"> | null) => Kind<"tensor">} */
  function make(state, op, operands, result, attributes, place, into) {
    const { shape, back } = result;
    T.room(shape);
    const [made, own] = [shape, into?.node.shape ?? shape].map(T.show);
    if (made != own) refuse("broadcast", `output with shape ${own} doesn't match the broadcast shape ${made}`);
    if (state.nodes.length >= LONG.nodes) refuse("long", `The playground draws at most ${LONG.nodes} operations`);
    const given = operands.flatMap((v, slot) => (v?.node ? [{ node: v.node, slot }] : []));
    const inputs = given.map(({ node }) => node);
    // As torch: a view of what requires gradients says so even under no_grad, though none comes through.
    const view = VIEWS.includes(op) && !result.copied;
    const base = view ? (state.bases[inputs[0].id] ?? inputs[0].id) : null;
    const mute = !state.mode && base != null && state.nodes[base].requires;
    const requires = mute || (state.mode && op != "detach" && inputs.some((v) => v.requires));
    const id = state.nodes.length;
    const alias = view || op == "detach" || op == "grad";
    const store = into?.node.store ?? (alias ? inputs[0]?.store : null) ?? { version: 0 };
    /** @type {Made} */
    const node = {
      id, op, names: [], shape, value: state.leaves[id] ?? result.data, grad: null, held: null, leaf: mute || !requires,
      memory: (into?.node ?? result).memory ?? null, requires, detached: op == "detach", inputs: inputs.map((v) => v.id), attributes,
      line: linesTo(state.text, place.at).length, text: state.text.slice(place.at, place.end),
      alias, store, at: store.version + +!!into, saved: requires ? save(op, operands, attributes, store, into) : [],
    };
    state.nodes.push(node);
    state.bases.push(base);
    state.mute.push(mute);
    if (back) state.backs[id] = (g, k) => back(g, given[k].slot);
    if (!into) return { node };
    store.version++;
    store.line = node.line;
    if (state.mode || !into.node.requires) {
      node.kept = into.node.kept; // as torch: what retains its .grad goes on to
      into.node.kept = false;
      into.node = node;
    } else into.node.value = node.value; // and nothing is recorded
    return into;
  }

  // What operations save for their backward step (torch's derivatives.yaml): operands, the result, or of
  // a product each factor whose partner requires gradients.
  const GROUPS = "prod|amax|amin|logsumexp|norm|max|min";
  const [OPERANDS, RESULT, FACTORS] = [
    GROUPS + "|log|sin|cos|abs|square|softplus|log1p|pow|maximum|minimum|clamp",
    GROUPS + "|exp|tan|tanh|sigmoid|relu|sqrt|reciprocal|expm1|softmax|log_softmax",
    "mul|div|dot|mv|mm|matmul|outer",
  ].map((names) => RegExp(`^(${names})$`));

  /** What is saved: on which memory it lies, and at which version.
   * @type {(op: string, operands: (Operand | Value)[], attributes: string[], store: Store, into?: Value) => Made["saved"]} */
  function save(op, operands, attributes, store, into) {
    if (/^m(ax|in)$/.test(op) && attributes.length) return []; // along a dimension: indices
    const factor = FACTORS.test(op);
    /** @type {Made["saved"]} */
    const saved = operands.flatMap((v, i) => {
      if (!v?.node || (into && !i)) return []; // torch copies what it is about to change
      const { store } = v.node;
      const needed = factor ? operands[1 - i]?.node?.requires || (op == "div" && i) : OPERANDS.test(op);
      return needed ? [[store, store.version]] : [];
    });
    if (RESULT.test(op) || (op == "pow" && operands[1]?.node)) saved.push([store, store.version + +!!into]);
    return saved;
  }

  // What has a method that changes in place.
  const IN_PLACE = "neg exp log sin cos tan tanh sigmoid relu sqrt abs square reciprocal log1p expm1 add sub mul div pow clamp".split(" ");
  /** @type {() => never} */
  const refuseInPlace = () => refuse("outside", "The playground leaves this change in place out");

  /** Refuse to change a leaf that requires gradients, and what shares its numbers with another tensor.
   * @type {(state: State, v: Kind<"tensor">) => void} */
  function change(state, v) {
    const { node } = v;
    const base = state.bases[node.id];
    const root = state.nodes[base ?? node.id];
    if (root.leaf && root.requires && state.mode)
      refuse("leaf", `a ${base == null ? "" : "view of a "}leaf Variable that requires grad is being used in an in-place operation.`);
    /** @type {(it: Value) => boolean | undefined} */
    const shares = (it) => it?.list?.some(shares) || (it?.node && it != v && it.node.store == node.store);
    if (node.leaf && node.requires) refuse("outside", "The playground keeps a leaf as it is");
    if (node.alias || node.id == state.output || [...state.names.values()].some(shares)) refuseInPlace();
  }

  const VIEWS = ["T", "t", "transpose", "reshape", "flatten", "unsqueeze", "squeeze", "select", "slice", "view", "expand"];

  /** @type {(v: Kind<"tensor"> | Kind<"mask"> | Kind<"number">) => Operand} */
  function operand(v) {
    if (v.mask) return { shape: v.shape, data: v.mask };
    if (!v.node) return { shape: [], data: [v.n] };
    const { node } = v;
    if (node.alias && node.at != node.store.version) refuseInPlace(); // what it looks at has changed
    return { shape: node.shape, data: node.value, memory: node.memory, node };
  }

  /** What an operation takes of an argument. @type {(v: Value, type: string) => Part} */
  function taken(v, type) {
    if (v?.node || v?.mask || (isNumber(v) && type == "v")) return operand(v);
    return v?.list && type == "l" ? v.list.flatMap((it) => (it?.node ? [operand(it)] : [])) : v;
  }

  /** Apply an operation of the table to arguments that fit.
   * @type {(state: State, name: string, values: Value[], place: Place, into?: Kind<"tensor"> | null) => Kind<"tensor">} */
  function apply(state, name, values, place, into) {
    if (into) change(state, into);
    const { params, act } = inTable(name);
    const parts = values.map((v, i) => taken(v, params[i].type));
    const attributes = values.flatMap((v, i) => {
      const plain = isNumber(v) || typeof v == "boolean" || v?.mask || (v?.list && params[i].type != "l");
      return plain ? [`${params[i].name == "input" ? "self" : params[i].name} = ${shown(v)}`] : [];
    });
    return make(state, name, parts.flat(), act(...parts), attributes, place, into);
  }

  /** @type {Record<string, string | undefined>} */
  const signs = { "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "@": "matmul" };

  /** @type {(sign: string, a: Value, b: Value, state: State, place: Place, into?: Kind<"tensor"> | null) => Value} */
  function arithmetic(sign, a, b, state, place, into) {
    if (isNumber(a) && isNumber(b)) return plain(sign, a, b);
    if (!(a?.node || isNumber(a)) || !(b?.node || isNumber(b)) || (sign == "@" && !(a.node && b.node))) {
      if (a?.mask || b?.mask) refuse("outside", "The playground uses comparisons in where() only");
      refuse("type", `unsupported operand type(s) for ${sign}: '${kind(a)}' and '${kind(b)}'`);
    }
    const op = signs[sign];
    if (!op) refuse("outside", `The playground has no '${sign}'`);
    if (a.node || op == "pow") return apply(state, op, [a, b], place, into);
    // As torch: a number goes to the right of its tensor.
    if (op == "div") return apply(state, "mul", [apply(state, "reciprocal", [b], place), a], place);
    return apply(state, op == "sub" ? "rsub" : op, [b, a], place);
  }

  /** @type {(sign: string, a: Kind<"number">, b: Kind<"number">) => Value} */
  function plain(sign, { n: a, int: i }, { n: b, int: j }) {
    const int = i && j && sign != "/" && !(sign == "**" && b < 0);
    /** @type {Record<string, (() => number) | undefined>} */
    const known = { "+": () => a + b, "-": () => a - b, "*": () => a * b, "/": () => a / b, "**": () => a ** b };
    const f = known[sign];
    if (!f) refuse(sign == "@" ? "type" : "outside", `unsupported operand type(s) for ${sign}: numbers`);
    if ((sign == "/" && !b) || (sign == "**" && !a && b < 0)) refuse("number", "division by zero");
    const n = f();
    if (sign == "**" && a < 0 && n != n) refuse("number", "A root of a negative number is complex");
    if (!isFinite(n) && isFinite(a) && isFinite(b)) refuse("number", "The result is too large");
    return { n, int };
  }

  /** @type {(sign: string, v: Value, state: State, place: Place) => Value} */
  function signed(sign, v, state, place) {
    if (isNumber(v)) return { ...v, n: sign == "-" ? -v.n : v.n };
    if (!v?.node) refuse("type", `bad operand type for unary ${sign}: '${kind(v)}'`);
    return sign == "-" ? apply(state, "neg", [v], place) : v;
  }

  /** @type {Record<string, (a: number, b: number) => boolean>} */
  const comparisons = {
    "<": (a, b) => a < b,
    ">": (a, b) => a > b,
    "<=": (a, b) => a <= b,
    ">=": (a, b) => a >= b,
    "==": (a, b) => a == b,
    "!=": (a, b) => a != b,
  };
  /** @type {(sign: string, a: Value, b: Value) => Value} */
  function compare(sign, a, b) {
    const f = comparisons[sign];
    if (!(a?.node || isNumber(a)) || !(b?.node || isNumber(b)))
      refuse("type", `'${sign}' not supported between instances of '${kind(a)}' and '${kind(b)}'`);
    if (isNumber(a) && isNumber(b)) return f(a.n, b.n);
    const { shape, data: mask } = T.entrywise([a, b].map(operand), (u, v) => +f(u, v), []);
    return { mask, shape };
  }

  /** @type {(v: Value, items: Value[], state: State, place: Place) => Value} */
  function subscript(v, items, state, place) {
    if (v?.list) {
      const [i] = items;
      if (items.length > 1 || !i?.int) refuse("outside", "The playground takes one whole number to choose from a list");
      const n = i.n < 0 ? i.n + v.list.length : i.n;
      if (v.pair && n == 1) noIndices();
      return n in v.list ? v.list[n] : refuse("index", `${kind(v)} index out of range`);
    }
    if (!v?.node) refuse("type", `'${kind(v)}' object is not subscriptable`);
    const rank = v.node.shape.length;
    if (!rank && !items[0]?.slice) refuse("index", "invalid index of a 0-dim tensor");
    if (items.length > rank) refuse("index", `too many indices for tensor of dimension ${rank}`);
    let dim = 0;
    for (const i of items) {
      const { shape } = v.node;
      if (i?.int) v = apply(state, "select", [v, whole(dim), i], place);
      else if (i?.slice) {
        const [start, end, step] = i.slice.map((b) => (b == null || b.int ? b?.n : refuse("type", "slice indices must be integers or None")));
        if (step != null && step < 1) refuse("index", "step must be greater than zero");
        const all = [dim, start ?? 0, end ?? shape[dim], step ?? 1];
        if (start != null || end != null || all[3] != 1) v = apply(state, "slice", [v, ...all.map(whole)], place);
        dim++;
      } else if (isNumber(i)) refuse("index", "only integers, slices (`:`) are valid indices (got float)");
      else refuse("outside", "The playground takes whole numbers and slices as indices");
    }
    return v;
  }

  /** @type {() => never} */
  const noIndices = () => refuse("outside", "The playground holds no whole numbers: take the .values");

  /** @type {Map<string, (node: Made, value: Value) => void>} */
  const SETTERS = new Map([["requires_grad", setRequires], ["grad", setGrad]]);

  /** @type {(state: State, target: Expression, place: Place, value: Value) => void} */
  function assign(state, target, place, value) {
    if (target.item)
      return located(place, () => {
        const old = target(state);
        if (old?.node) change(state, old);
        refuseInPlace();
      });
    if (target.attribute) {
      const object = target.attribute.of(state);
      const set = SETTERS.get(target.attribute.name);
      if (!set || !object?.node) refuse("outside", "The playground sets no attribute but requires_grad and grad", place);
      return located(place, () => set(object.node, value));
    }
    if (target.variable) state.names.set(target.variable, value);
  }

  /** @type {(node: Made, flag: Value) => void} */
  function setRequires(node, flag) {
    if (typeof flag != "boolean") refuse("type", `requires_grad must be a bool, not ${kind(flag)}`);
    if (!flag && !node.leaf) refuse("flag", "you can only change requires_grad flags of leaf variables.");
    if (node.leaf && node.store.version) refuseInPlace(); // its numbers stand in no line
    node.requires = flag || !node.leaf;
  }

  /** @type {(node: Made, value: Value) => void} */
  function setGrad(node, value) {
    if (!node.leaf) refuse("outside", "The playground sets the .grad of leaves alone");
    if (value != null && !value.node) refuse("type", `assigned grad expected to be a Tensor or None but got grad of type ${kind(value)}`);
    const [given, own] = [value?.node ?? node, node].map(({ shape }) => T.show(shape));
    if (given != own) refuse("upstream", `attempting to assign a gradient of size '${given}' to a tensor of size '${own}'`);
    node.held = value && value.node.value;
    if (value) value.node.alias = true;
  }

  // Arguments. A parameter is "name:type", with ? where it may be left out. Types: t tensor, v tensor or
  // number, k number, i whole number, I whole number or list of them, s shape (or its sizes one by one),
  // l list of tensors, m comparison, b bool.
  /** @typedef {(v: Value) => unknown} Test */
  /** @type {(test: Test) => Test} */
  const list = (test) => (v) => v?.list?.every(test);
  /** @type {Record<string, [says: string, fit: Test]>} */
  const fits = {
    t: ["Tensor", (v) => v?.node],
    v: ["Tensor or Number", (v) => v?.node || isNumber(v)],
    k: ["Number", isNumber],
    i: ["int", (v) => v?.int],
    I: ["int or tuple of ints", (v) => v?.int || list((d) => d?.int)(v)],
    s: ["tuple of ints", list((d) => d?.int)],
    l: ["tuple of Tensors", list((d) => d?.node)],
    m: ["a boolean Tensor", (v) => v?.mask],
    b: ["bool", (v) => typeof v == "boolean"],
    d: ["torch.dtype", (v) => v?.dtype],
    a: ["Number or list", (v) => isNumber(v) || typeof v == "boolean" || v?.list],
  };

  /** @typedef {{ name: string, type: string, optional: string, keyword: string }} Parameter */
  /** @type {(name: string, params: Parameter[], positional: Value[], named: Map<string, Value>, variadic?: Value) => Value[]} */
  function bind(name, params, positional, named, variadic) {
    /** @type {Map<string, Value>} */
    const given = new Map();
    const first = params.findIndex((p) => p.type == "s");
    if (first >= 0 && positional.length > first && positional.slice(first).every((v) => v?.int) && variadic)
      positional = [...positional.slice(0, first), { list: positional.slice(first), tuple: true }];
    const places = params.filter((p) => !p.keyword);
    if (positional.length > places.length)
      refuse("type", `${name}() takes at most ${places.length} by position in the playground`);
    positional.forEach((v, i) => given.set(places[i].name, v));
    for (const [key, v] of named) {
      if (!params.some((p) => p.name == key)) refuse("type", `${name}() got an unexpected keyword argument '${key}' in the playground`);
      if (given.has(key)) refuse("type", `${name}() got multiple values for argument '${key}'`);
      given.set(key, v);
    }
    return params.map(({ name: own, type, optional }) => {
      const v = given.get(own) ?? null;
      if (v == null && (optional || !given.has(own)))
        return optional ? null : refuse("type", `${name}() missing 1 required positional arguments: "${own}"`);
      const [says, fit] = fits[type];
      return fit(v) ? v : refuse("type", `${name}(): argument '${own}' must be ${says}, not ${kind(v)}`);
    });
  }

  /** @type {(text: string) => Parameter[]} */
  const signature = (text) =>
    [...text.matchAll(/(\*?)(\w+):(\w)(\??)/g)].map(([, keyword, name, type, optional]) => ({ name, type, optional, keyword }));

  const table = new Map(T.operations.map(({ name, params, act }) => [name, { params: signature(params), act }]));
  const inTable = (/** @type {string} */ name) => table.get(name) ?? refuse("internal", name);

  const HIDDEN = ["rsub", "T", "select", "slice"]; // written with signs
  const CALLED = [...table.keys()].filter((name) => !HIDDEN.includes(name));
  const METHODS = CALLED.filter((name) => !["stack", "cat", "where", "softplus"].includes(name));

  /** Return a function, or the method of an object. */
  /** @type {(name: string, self: Kind<"tensor"> | null, into?: Kind<"tensor">) => Kind<"callable">} */
  const operation = (name, self, into) => ({
    name,
    call(positional, named, state, place) {
      const other = positional[self ? 0 : 1];
      const isTop = /^m(ax|in)$/.test(name);
      if (isTop && other?.node) return operation(name + "imum", self).call(positional, named, state, place);
      const { params } = inTable(name);
      const values = bind(name, params, self ? [self, ...positional] : positional, named, self);
      // torch hands a flat tensor itself back
      if (name == "flatten" && values[0]?.node?.shape.length == 1) return values[0];
      const result = apply(state, name, values, place, into);
      return isTop && values[1] ? { list: [result, null], tuple: true, pair: true } : result;
    },
  });

  // Leaves.
  /** @type {(v: Value, depth?: number) => number[]} */
  function shapeOf(v, depth = 0) {
    if (!v?.list) return isNumber(v) || typeof v == "boolean" ? [] : refuse(v?.node ? "outside" : "type", `tensor() takes numbers, not ${kind(v)}`);
    const inner = v.list.map((e) => shapeOf(e, depth + 1));
    for (const [i, shape] of inner.entries())
      if (T.show(shape) != T.show(inner[0]))
        refuse("ragged", `expected sequence of length ${inner[0][0] ?? 0} at dim ${depth + 1} (got ${inner[i][0] ?? 0})`);
    return [v.list.length, ...(inner[0] ?? [])];
  }
  /** @type {(v: Value) => Value[]} */
  const flat = (v) => (v?.list ? v.list.flatMap(flat) : [v]);
  /** @type {(shape: number[], value: (i: number) => number) => Filled} */
  function filled(shape, value) {
    const below = shape.find((n) => n < 0);
    if (below) refuse("reshape", `Trying to create tensor with negative dimension ${below}`);
    T.room(shape);
    return { shape, data: T.fill(T.size(shape), value) };
  }
  /** @type {(name: string, requires: boolean | null) => never} */
  const wholeRefused = (name, requires) => {
    const why = requires ? "Only Tensors of floating point and complex dtype can require gradients" : "The playground holds no integers";
    refuse("integer", `${why}: write ${name} with a decimal point, 1. for 1`);
  };

  /** What bind returns fits the parameters that it was given.
   * @template A
   * @param {Value[]} given
   * @returns {A} */
  const fitted = (given) => /** @type {A} */ (/** @type {unknown} */ (given));

  /** @type {Map<string, Value>} */
  const GLOBALS = new Map();
  /** @type {<P extends string>(name: string, params: P, act:
   *   (...given: Arguments<`${P} dtype:d? requires_grad:b?`, Letters>) => Filled | Kinds["mask"]) => void} */
  const maker = (name, params, act) => {
    const all = signature(`${params} *dtype:d? *requires_grad:b?`);
    /** @type {Call} */
    const call = (positional, named, state, place) => {
      const given = bind(name, all, positional, named, true);
      const result = act(...fitted(given));
      if ("mask" in result) return result;
      if (!result.data.length) refuse("outside", "The playground holds no empty tensors");
      const made = make(state, name, [], result, [], place);
      made.node.requires = !!given.at(-1);
      return made;
    };
    GLOBALS.set(name, { name, call });
  };
  maker("tensor", "data:a", (data, dtype, requires) => {
    const shape = shapeOf(data); // refuses what is no number
    const all = flat(data);
    const numbers = all.filter(isNumber);
    const masks = all.length - numbers.length;
    if (masks == all.length && masks && !requires) return { shape, mask: all.map(Number) };
    if (masks) refuse("integer", "Only Tensors of floating point and complex dtype can require gradients, and the playground mixes no numbers with True and False");
    if (!dtype && all.length && numbers.every((v) => v.int)) wholeRefused("tensor()", requires);
    return filled(shape, (i) => numbers[i].n);
  });
  maker("ones", "size:s", (size) => filled(T.sizes(size), () => 1));
  maker("zeros", "size:s", (size) => filled(T.sizes(size), () => 0));
  maker("eye", "n:i", ({ n }) => filled([n, n], (i) => +(i % (n + 1) == 0)));
  maker("arange", "start:k end:k? step:k?", (start, end, step, dtype, requires) => {
    const [a, b, by] = end ? [start.n, end.n, step?.n ?? 1] : [0, start.n, 1];
    if (!dtype && [start, end, step].every((v) => !v || v.int)) wholeRefused("arange()", requires);
    if (!by || (b - a) / by < 0) refuse("type", "upper bound and lower bound inconsistent with step sign");
    return filled([Math.ceil((b - a) / by)], (i) => a + i * by);
  });

  /** @type {<P extends string>(name: string, params: P, act:
   *   (given: Arguments<P, Letters>, state: State, place: Place) => Value) => Kind<"callable">} */
  const bound = (name, params, act) => ({
    name,
    call: (positional, named, state, place) => act(fitted(bind(name, signature(params), positional, named)), state, place),
  });

  /** Return what stands behind the dot. @type {(v: Value, name: string, state: State, place: Place) => Value} */
  function member(v, name, state, place) {
    if (v?.module) return v.module.get(name) ?? refuse("operation", `module '${v.title}' has no attribute '${name}' in the playground`);
    if (v?.pair && name == "values") return v.list[0];
    if (v?.pair && name == "indices") noIndices();
    if (!v?.node) refuse("operation", `'${kind(v)}' object has no attribute '${name}'`);
    if (name == "T") return apply(state, name, [v], place);
    if (name == "requires_grad") return v.node.requires;
    if (name == "grad") return v.node.held && make(state, name, [], { shape: v.node.shape, data: v.node.held }, [], place);
    if (name == "backward") return bound(name, "gradient:t? retain_graph:b?", ([gradient, retain], state, place) => {
      begin(state, v, place, gradient, retain);
      return null;
    });
    if (name == "retain_grad") return bound(name, "", () => {
      if (!v.node.requires) refuse("requires", "can't retain_grad on Tensor that has requires_grad=False");
      v.node.kept = true;
      return SAYS;
    });
    if (name == "requires_grad_") return bound(name, "requires_grad:b?", ([flag]) => (setRequires(v.node, flag ?? true), v));
    const plain = name.slice(0, -1);
    if (IN_PLACE.includes(plain) && name == plain + "_") return operation(plain, v, v);
    if (/^(t|transpose|squeeze|unsqueeze|detach)_$/.test(name)) return { name, call: refuseInPlace };
    if (!METHODS.includes(name)) refuse("operation", `'Tensor' object has no attribute '${name}' in the playground`);
    return operation(name, v);
  }

  /** @type {Kind<"context">} */
  const NO_GRAD = { noGrad: true };
  for (const name of CALLED) if (!["view", "expand"].includes(name)) GLOBALS.set(name, operation(name, null));
  GLOBALS.set("no_grad", { name: "no_grad", call: () => NO_GRAD });
  /** @type {Kind<"dtype">} */
  const float64 = { dtype: true };
  const inFunctional = ["relu", "tanh", "sigmoid", "softplus", "softmax", "log_softmax"];
  const functional = { title: "torch.nn.functional", module: new Map([...GLOBALS].filter(([name]) => inFunctional.includes(name))) };
  const known = [...GLOBALS].filter(([name]) => name != "softplus");
  const nn = { title: "torch.nn", module: new Map(/** @type {[string, Value][]} */ ([["functional", functional]])) };
  const setDefault = bound("set_default_dtype", "d:d", () => null);
  const others = { float64, double: float64, nn, set_default_dtype: setDefault };
  const torch = { title: "torch", module: new Map([...known, ...Object.entries(others)]) };
  GLOBALS.set("torch", torch);
  /** @type {Kind<"said">} */
  const SAYS = { said: true }; // the page shows all numbers, and draws
  /** @type {Kind<"callable">} */
  const SAID = { name: "print", call: () => SAYS };
  for (const name of ["print", "locals"]) GLOBALS.set(name, SAID);
  GLOBALS.set("F", functional);

  // The backward pass.

  /** Start from a scalar, or from any output with its upstream gradient.
   * @type {(state: State, v: Value | undefined, place: Place | undefined, gradient?: Kind<"tensor"> | null,
   *   retain?: boolean | null) => { output: number, seed: Float64Array }} */
  function begin(state, v, place, gradient, retain) {
    if (v?.call) refuse("nothing", `The program ends in a function: brackets call it, ${v.name}()`, place);
    if (!v?.node) refuse("nothing", "The program ends in no tensor: end it with a scalar", place);
    const { node } = v;
    const [given, own] = [gradient?.node ?? node, node].map(({ shape }) => T.show(shape));
    if (given != own)
      refuse("upstream", `Mismatch in shape: grad_output[0] has a shape of torch.Size(${given}) and output[0] has a shape of torch.Size(${own})`, place);
    if (!node.requires || state.mute[node.id])
      refuse("requires", "element 0 of tensors does not require grad and does not have a grad_fn", place);
    if (!gradient && node.value.length != 1) refuse("scalar", "grad can be implicitly created only for scalar outputs", place);
    const [output, seed] = [node.id, gradient?.node.value ?? Float64Array.of(1)];
    Object.assign(state, { output, seed });
    if (!state.without) located(place, () => backward(state, node, seed, retain));
    return { output, seed };
  }

  // Such an operation has nothing to free, and torch walks back through it as often as one likes.
  const SAVING_NOTHING = [...VIEWS, ..."add sub rsub neg sum mean clone stack cat".split(" ")];

  /** Walk back from the latest node to the earliest, which is the order of autograd.
   * @type {(state: State, output: Made, seed: Float64Array, retain?: boolean | null) => void} */
  function backward({ nodes, backs, steps, mute }, output, seed, retain) {
    steps.length = 0;
    for (const node of nodes) [node.before, node.grad] = [node.held, null];
    output.grad = seed;
    for (let id = output.id; id >= 0; id--) {
      const node = nodes[id];
      const { grad: adjoint, before: former } = node;
      if (!adjoint || mute[id]) continue;
      if (node.leaf || node.kept) node.held = former ? adjoint.map((v, i) => v + former[i]) : adjoint;
      if (node.leaf) continue;
      if (node.freed) refuse("second", "Trying to backward through the graph a second time");
      const late = node.saved.find(([store, version]) => store.version != version);
      if (late)
        refuse("changed", `one of the variables needed for gradient computation has been modified by an inplace operation: line ${late[0].line} changes what ${node.op} in line ${node.line} has saved`);
      node.freed = !retain && !SAVING_NOTHING.includes(node.op);
      node.inputs.forEach((to, k) => {
        const input = nodes[to];
        if (!input.requires || mute[to]) return;
        const contribution = backs[id](adjoint, k);
        const before = input.grad;
        input.grad = before ? contribution.map((v, i) => v + before[i]) : contribution;
        steps.push({ node: id, edge: [id, to, k], adjoint, contribution, sum: input.grad });
      });
    }
  }

  /** @type {(text: string, options?: { leaves?: Record<number, Float64Array>, without?: boolean }) => Run} */
  function run(text, { leaves = {}, without = false } = {}) {
    /** @type {State} */
    const state = {
      text, without, mode: true, nodes: [], backs: [], bases: [], mute: [], steps: [], names: new Map(), output: null, last: null, leaves,
    };
    let ending;
    try {
      if (text.length > LONG.text) refuse("long", "The program is too long for the playground");
      parse(text).forEach((act) => act(state));
      const { output, seed, last } = state;
      ending = { fault: null, ...(output == null || !seed ? begin(state, last?.value, last?.place) : { output, seed }) };
    } catch (thrown) {
      const { reason = "internal", message = String(thrown), place } = thrown;
      const { at, end } = place ?? { at: 0, end: 0 };
      const lines = linesTo(text, at);
      const column = lines[lines.length - 1].length + 1;
      const fault = { reason, message, line: lines.length, column, length: Math.max(1, end - at) };
      ending = { fault, output: state.output, seed: state.seed };
    }
    for (const [name, v] of state.names) v?.node?.names.push(name);
    const named = state.nodes.filter((n) => n.leaf && n.requires && !state.mute[n.id] && n.names.length);
    return { ...ending, nodes: state.nodes, leaves: named.map((n) => n.id), steps: state.steps };
  }

  const OPERATIONS = ["+", "-", "*", "/", "**", "@", "[ ]", "T", ...CALLED];
  const PRELUDE = `import torch
import torch.nn.functional as F
from torch import ${known.map(([name]) => name).join(", ")}
from torch.nn.functional import softplus
torch.set_default_dtype(torch.float64)
`;
  return { run, OPERATIONS, PRELUDE };
})();
