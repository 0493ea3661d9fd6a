#!/bin/sh
# math.js 15.2.0, nerdamer 1.1.13, Algebrite 1.4.0: symbolic derivatives in JavaScript, put
# into numbers at 2.6 (0.3 where 2.6 is not allowed), beside quotients of the function that
# the same package evaluates.  Guessed: right, or refused, for each function that it knows.
# Seen: math.js gives acoth the slope with the other sign.  nerdamer.diff("asinh(x)", "x")
# and five more inverse hyperbolic functions lose the inner derivative, while
# nerdamer("diff(asinh(x), x)"), the same as text, is right; atan2(2, x) has the slope 0 in
# both.  Algebrite gives the Bessel function of the second kind, Y0, the derivative of
# the first, J0.  All in silence; some fifty functions beside them are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund mathjs@15.2.0 nerdamer@1.1.13 algebrite@1.4.0
cat >ask.js <<'END'
const math = require("mathjs");
const nerdamer = require("nerdamer");
require("nerdamer/Calculus");
const algebrite = require("algebrite");
for (const name of ["mathjs", "nerdamer", "algebrite"])
  console.log(name, require(name + "/package.json").version);

const quotient = (f, x) => (f(x + 1e-6) - f(x - 1e-6)) / 2e-6;
function told(words, slope, f, x) {
  const q = quotient(f, x);
  const verdict = Math.abs(slope - q) < 1e-4 * Math.abs(q) ? "right" : "wrong";
  console.log(`${words} at ${x}: ${slope.toFixed(4)}, quotient ${q.toFixed(4)}, ${verdict}`);
}

for (const [f, x] of [["acoth", 2.6], ["atanh", 0.3], ["acsch", 2.6]]) {
  const derivative = math.derivative(f + "(x)", "x");
  told("mathjs, " + f, derivative.evaluate({ x }), (x) => math[f](x), x);
}
const number = (expression, x) => Number(expression.evaluate({ x }).text("decimals"));
const asked = [
  ["sin(x)", 2.6], ["log(x+sqrt(x^2+1))", 2.6], ["asinh(x)", 2.6], ["acosh(x)", 2.6],
  ["atanh(x)", 0.3], ["acoth(x)", 2.6], ["asech(x)", 0.3], ["acsch(x)", 2.6],
  ["atan2(x,2)", 2.6], ["atan2(2,x)", 2.6],
];
for (const [f, x] of asked) {
  const value = (x) => number(nerdamer(f), x);
  told("nerdamer.diff, " + f, number(nerdamer.diff(f, "x"), x), value, x);
  told("nerdamer as text, " + f, number(nerdamer(`diff(${f},x)`), x), value, x);
}
for (const f of ["besselj", "bessely"])
  console.log(`algebrite, d(${f}(x,0)):`, algebrite.run(`d(${f}(x,0),x)`));
END
cat >seen <<'END'
mathjs 15.2.0
nerdamer 1.1.13
algebrite 1.4.0
mathjs, acoth at 2.6: 0.1736, quotient -0.1736, wrong
mathjs, atanh at 0.3: 1.0989, quotient 1.0989, right
mathjs, acsch at 2.6: -0.1381, quotient -0.1381, right
nerdamer.diff, sin(x) at 2.6: -0.8569, quotient -0.8569, right
nerdamer as text, sin(x) at 2.6: -0.8569, quotient -0.8569, right
nerdamer.diff, log(x+sqrt(x^2+1)) at 2.6: 0.3590, quotient 0.3590, right
nerdamer as text, log(x+sqrt(x^2+1)) at 2.6: 0.3590, quotient 0.3590, right
nerdamer.diff, asinh(x) at 2.6: 0.1857, quotient 0.3590, wrong
nerdamer as text, asinh(x) at 2.6: 0.3590, quotient 0.3590, right
nerdamer.diff, acosh(x) at 2.6: 0.2000, quotient 0.4167, wrong
nerdamer as text, acosh(x) at 2.6: 0.4167, quotient 0.4167, right
nerdamer.diff, atanh(x) at 0.3: 0.2692, quotient 1.0989, wrong
nerdamer as text, atanh(x) at 0.3: 1.0989, quotient 1.0989, right
nerdamer.diff, acoth(x) at 2.6: 0.2222, quotient -0.1736, wrong
nerdamer as text, acoth(x) at 2.6: -0.1736, quotient -0.1736, right
nerdamer.diff, asech(x) at 0.3: 0.1535, quotient -3.4943, wrong
nerdamer as text, asech(x) at 0.3: -3.4943, quotient -3.4943, right
nerdamer.diff, acsch(x) at 2.6: 0.6868, quotient -0.1381, wrong
nerdamer as text, acsch(x) at 2.6: -0.1381, quotient -0.1381, right
nerdamer.diff, atan2(x,2) at 2.6: 0.1859, quotient 0.1859, right
nerdamer as text, atan2(x,2) at 2.6: 0.1859, quotient 0.1859, right
nerdamer.diff, atan2(2,x) at 2.6: 0.0000, quotient -0.1859, wrong
nerdamer as text, atan2(2,x) at 2.6: 0.0000, quotient -0.1859, wrong
algebrite, d(besselj(x,0)): -besselj(x,1)
algebrite, d(bessely(x,0)): -besselj(x,1)
END
node ask.js 2>said >heard || { cat said; exit 1; }
diff seen heard
echo "as seen: mathjs-nerdamer-and-algebrite-on-inverse-functions"
