// What the site's scripts take from one another, and from the build; tests/test_types.py
// has them checked with it.

/** Find all elements of the page, or of a part, which are of the kind that the page has there. */
type FindAll = <E extends Element = HTMLElement>(query: string, from?: ParentNode) => E[];

/** A copy is of the kind of what it copies, which TypeScript's own types leave out. */
interface Element {
  cloneNode(deep?: boolean): this;
}
interface DocumentFragment {
  cloneNode(deep?: boolean): this;
}

/** What a figure's data hold of its graph; how it is computed anew, as utils/torchutils/tape.py says. */
interface Recorded {
  nodes: { shape?: number[]; outputs?: { shape: number[] }[]; root?: boolean }[];
  edges: { out: number }[];
  tape: Tape;
}
interface Tape {
  dtype: string;
  code: [op: string | number, ...from: number[]][];
  seeds: Record<number, number>;
  places: Record<string, [which: number, ...slots: number[][]]>;
}
/** The form that changes leaves. It knows the numbers of a place: null where nothing came. */
interface LeavesForm extends HTMLFormElement {
  at(place: string): (number | null)[] | undefined;
  made: [values: number[], adjoints: (number | null)[]];
}

interface HTMLElementEventMap {
  ran: CustomEvent<Done>; // what stands in the playground
  redrawn: CustomEvent<number | undefined>; // the playground drew another program; where the walk stands
}

/** Every section's place, and the words that it holds: coursebuild/extension/search.py. */
declare const siteSections: {
  group: number; // sections whose texts come together
  pages: [page: string, name: string, level: string, sections: [place: string, title: string, terms: string][]][];
  words: Record<string, number[]>;
};
/** The texts of sections, by group. */
declare const siteTexts: string[][];

/** An operation or a leaf of a program that has run. */
interface Ran {
  id: number;
  op: string;
  names: string[];
  shape: number[];
  value: Float64Array;
  grad: Float64Array | null;
  kept?: boolean; // whether it is no leaf, and asked to keep .grad
  held: Float64Array | null; // what .grad holds after the pass
  before?: Float64Array | null; // what it held before
  leaf: boolean;
  requires: boolean;
  detached: boolean;
  inputs: number[];
  attributes: string[];
  memory: number[] | null;
  line: number;
  text: string;
  store: { version: number }; // how often its numbers were changed in place
  freed?: boolean;
}

/** A contribution that the backward pass sent: from a node, to one, as which operand. */
interface Sent {
  node: number;
  edge: [from: number, to: number, operand: number];
  adjoint: Float64Array;
  contribution: Float64Array;
  sum: Float64Array;
}

interface Fault {
  reason: string;
  message: string;
  line: number;
  column: number;
  length: number;
}

/** What playground.run returns: it ends in an output, or in a fault. */
type Run = { nodes: Ran[]; leaves: number[]; steps: Sent[] } & (
  | { fault: null; output: number; seed: Float64Array }
  | { fault: Fault; output: number | null; seed?: Float64Array }
);
