// What the playground's scripts take from one another; tests/test_types.py has them checked with it.

type Entries = number[] | Float64Array;

/** What an operation takes: entries row by row, where they lie in memory, and the node that made them. */
interface Operand {
  shape: number[];
  data: Entries;
  memory?: number[] | null;
  node?: Made;
}

interface Filled {
  shape: number[];
  data: Float64Array;
}
/** What it gives; back(g, k) is what the upstream gradient g sends to operand k. */
interface Result extends Filled {
  back: (g: Float64Array, k: number) => Float64Array;
  memory?: number[] | null;
  copied?: boolean;
}

/** A value entry by entry, and each operand's share in the upstream gradient g of one entry y. */
type Rule = [f: (...entries: number[]) => number, ...vjps: Vjp[]];
type Vjp = (g: number, y: number, ...entries: number[]) => number;

/** A value of a group of entries, and what each gets of its upstream gradient g. */
type Reduction = [
  f: (values: number[]) => number,
  vjp: (g: number, y: number, values: number[], dims: number[] | null) => number[],
];

type Refuse = (reason: string, message: string, place?: Place) => never;

/** A piece of a program: from a place in its text to another. */
interface Place {
  at: number;
  end: number;
}

/** The kinds of a program's values. */
interface Kinds {
  flag: { valueOf(): boolean };
  number: { n: number; int: boolean };
  list: { list: Value[]; tuple?: boolean; pair?: boolean };
  mask: { mask: Entries; shape: number[] };
  tensor: { node: Made };
  callable: { name: string; call: Call };
  module: { module: Map<string, Value>; title: string };
  dtype: { dtype: true };
  context: { noGrad: true };
  said: { said: true }; // what print returns: the page shows all numbers, and draws
  slice: { slice: Value[] };
}
type Key = { [K in keyof Kinds]: keyof Kinds[K] }[keyof Kinds];
/** A kind: what the others have, it has not. */
type Kind<K extends keyof Kinds> = Kinds[K] & { [O in Exclude<Key, keyof Kinds[K] | "valueOf">]?: undefined };
type Value = null | (boolean & Kind<"flag">) | { [K in keyof Omit<Kinds, "flag">]: Kind<K> }[keyof Omit<Kinds, "flag">];
type Call = (positional: Value[], named: Map<string, Value>, state: State, place: Place) => Value;
type Whole = Kind<"number">;
type Wholes = { list: Whole[] } & Omit<Kind<"list">, "list">;

/** A parameter's type, by its letter: what an argument is; for an operation a tensor is its entries. */
interface Letters {
  t: Kind<"tensor">;
  v: Kind<"tensor"> | Kind<"number">;
  k: Kind<"number">;
  i: Whole;
  I: Whole | Wholes;
  s: Wholes;
  l: Kind<"list">;
  m: Kind<"mask">;
  b: boolean;
  d: Kind<"dtype">;
  a: Kind<"number"> | boolean | Kind<"list">;
}
type Part = Operand | Operand[] | Value;
interface Taken extends Omit<Letters, "t" | "v" | "l" | "m"> {
  t: Operand;
  v: Operand;
  l: Operand[];
  m: Operand;
}
type Argument<P, L> = P extends `${string}:${infer A extends keyof L & string}?`
  ? L[A] | null
  : P extends `${string}:${infer A extends keyof L & string}`
    ? L[A]
    : never;
/** The arguments for parameters such as "input:t dim:I?". */
type Arguments<P extends string, L> = P extends `${infer First} ${infer Rest}`
  ? [Argument<First, L>, ...Arguments<Rest, L>]
  : P extends ""
    ? []
    : [Argument<P, L>];

/** What a program can call: its parameters, and from arguments that fit them to a result. */
interface Operation {
  name: string;
  params: string;
  act(...parts: Part[]): Result;
}

/** The numbers of a tensor: who has changed them how often, and in which line last. */
interface Store {
  version: number;
  line?: number;
}

/** A node while its program runs. */
interface Made extends Ran {
  alias: boolean; // whether its numbers are another's, too
  store: Store;
  at: number; // the version that it has seen
  saved: [Store, version: number][];
}

/** A run that ended in an output. */
type Done = Extract<Run, { fault: null }>;

/** What a drawing shows: of the forward pass alone, or as far as before a step; with results as question marks. */
interface Seen {
  seen?: "forward" | Sent;
  bare?: boolean;
}

interface Drawing {
  svg: string;
  words: string; // the text version
  name: string;
  data: { nodes: { shape: number[] }[]; edges: { out: number }[] };
  lines: number[]; // where each box was made
  numbers: Record<string, number[]>; // of each place
}

/** A mistake, and the numbers to which it leads. */
type Card = [mistake: string, numbers: number[]];

/** What exercises.make returns; it says there what the parts are. */
interface Exercise {
  program: string;
  see: { program?: boolean; draw?: Seen };
  what: string;
  name: string;
  sender?: string;
  answer: number[];
  cards: Card[];
  claimed?: number[];
  kind: string;
  level: number;
  seed: number;
}

/** A program while it runs. */
interface State {
  text: string;
  without: boolean;
  mode: boolean; // whether operations are recorded
  nodes: Made[];
  backs: Result["back"][];
  bases: (number | null)[]; // of a view, the tensor that is looked at
  mute: boolean[]; // nodes that say so, and through which no gradient comes
  steps: Sent[];
  names: Map<string, Value>;
  output: number | null;
  seed?: Float64Array;
  last: { value: Value; place: Place } | null;
  leaves: Record<number, Float64Array>;
}
