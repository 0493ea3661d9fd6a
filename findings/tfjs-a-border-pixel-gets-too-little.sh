#!/bin/sh
# TensorFlow.js 4.22.0, its backend "cpu" in Node: gradients of a weighted sum of an
# operator's result, beside quotients.  Guessed: right, or an error, in each of the 200 and
# more cases that were asked.  Seen, without a word: avgPool with padding "same" divides, at the
# border, by the number of pixels inside; its gradient divides by the size of the window
# everywhere, so that pixels near the border get too little, in avgPool3d too.  mirrorPad drops
# what the mirror sends back.  resizeNearestNeighbor is right for one picture, and of two it
# gets the second wrong; resizeBilinear's gradient does not know halfPixelCenters.
# softmaxCrossEntropy's gradient in soft labels is wrong as well.  (A gradient that
# is refused is none of these: einsum, cumprod and a dozen more say so.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
cat >ask.js <<'END'
const tf = require("@tensorflow/tfjs");
console.log("tfjs", tf.version.tfjs);

// what a weighted sum of f(x) has as gradient, and as quotients
function compare(words, f, shape) {
  const size = shape.reduce((a, b) => a * b);
  const start = Array.from({ length: size }, (_, i) => Math.sin(3 * i + 1));
  const x = tf.tensor(start, shape);
  const many = f(x).size;
  const weights = tf.tensor(Array.from({ length: many }, (_, i) => Math.cos(2 * i)), f(x).shape);
  const sum = (x) => tf.sum(tf.mul(f(x), weights));
  const gradient = tf.grad(sum)(x).dataSync();
  const at = (i, step) => {
    const moved = start.slice();
    moved[i] += step;
    return sum(tf.tensor(moved, shape)).dataSync()[0];
  };
  const quotients = start.map((_, i) => (at(i, 0.01) - at(i, -0.01)) / 0.02);
  const largest = Math.max(...quotients.map(Math.abs));
  const errors = quotients.map((q, i) => Math.abs(q - gradient[i]) / largest);
  const wrong = errors.filter((e) => !(e < 0.01)).length;
  const worst = errors.indexOf(Math.max(...errors));
  const told = `${gradient[worst].toFixed(2)}, quotient ${quotients[worst].toFixed(2)}`;
  console.log(`${words}: ${wrong} of ${size} wrong` + (wrong ? `, the worst ${told}` : ""));
}

const frame = [[1, 1], [1, 1]];
const scores = tf.tensor2d([[0.3, -1.2, 0.8]]);
const nearest = (x) => tf.image.resizeNearestNeighbor(x, [6, 6]);
for (const padding of ["valid", "same"]) {
  compare(`avgPool, ${padding}`, (x) => tf.avgPool(x, 3, 1, padding), [1, 5, 5, 1]);
  compare(`avgPool3d, ${padding}`, (x) => tf.avgPool3d(x, 2, 1, padding), [1, 3, 3, 3, 1]);
}
compare("pad", (x) => tf.pad(x, frame), [3, 3]);
for (const mode of ["reflect", "symmetric"])
  compare(`mirrorPad, ${mode}`, (x) => tf.mirrorPad(x, frame, mode), [3, 3]);
compare("nearest neighbour, one picture", nearest, [1, 3, 3, 1]);
compare("nearest neighbour, two pictures", nearest, [2, 3, 3, 1]);
for (const half of [false, true])
  compare(
    `bilinear, halfPixelCenters ${half}`,
    (x) => tf.image.resizeBilinear(x, [6, 6], false, half),
    [1, 3, 3, 1],
  );
const entropy = tf.losses.softmaxCrossEntropy;
const labels = tf.tensor2d([[0.2, 0.5, 0.3]]);
compare("cross-entropy, scores", (x) => entropy(labels, x), [1, 3]);
compare("cross-entropy, labels", (x) => entropy(tf.softmax(x), scores), [1, 3]);
END
cat >seen <<'END'
tfjs 4.22.0
avgPool, valid: 0 of 25 wrong
avgPool3d, valid: 0 of 27 wrong
avgPool, same: 24 of 25 wrong, the worst -0.06, quotient -0.18
avgPool3d, same: 19 of 27 wrong, the worst -0.27, quotient -1.05
pad: 0 of 9 wrong
mirrorPad, reflect: 5 of 9 wrong, the worst -0.85, quotient 0.26
mirrorPad, symmetric: 8 of 9 wrong, the worst -0.96, quotient 0.52
nearest neighbour, one picture: 0 of 9 wrong
nearest neighbour, two pictures: 9 of 18 wrong, the worst -1.91, quotient 2.04
bilinear, halfPixelCenters false: 0 of 9 wrong
bilinear, halfPixelCenters true: 9 of 9 wrong, the worst -0.66, quotient -0.03
cross-entropy, scores: 0 of 3 wrong
cross-entropy, labels: 3 of 3 wrong, the worst 0.00, quotient 0.15
END
node ask.js 2>said >heard || { cat said; exit 1; }
diff seen heard
echo "as seen: tfjs-a-border-pixel-gets-too-little"
