#!/bin/sh
# KaTeX 0.16.47 writes MathML, speech-rule-engine 4.1.5 says it in its two English styles.
# Guessed for x^\top y: "x transpose y".  Seen: x with a superscript "normal down tack", and
# in ClearSpeak x "raised to the normal down tack power".  Guessed for \|x\|_2: the norm.
# Seen: "the metric of x sub 2", which may be heard as the metric of one entry.  Guessed for
# \bar x: "x bar".  Seen: an accent for which neither style has a word, though \hat y is
# "y hat".  Met on the way, not guessed: ClearSpeak leaves out the parentheses of x^{(2)},
# so the label of a second step is told as a power, and W^T is "W to the T power".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund katex@0.16.47 speech-rule-engine@4.1.5
cat >ask.js <<'END'
const katex = require("katex"), sre = require("speech-rule-engine");
const asked = ["x^\\top y", "W^T", "x^{(2)}", "x^2", "\\|x\\|_2", "\\bar x", "\\hat y"];
(async () => {
  for (const domain of ["mathspeak", "clearspeak"]) {
    await sre.setupEngine({ locale: "en", domain });
    await sre.engineReady();
    for (const formula of asked) {
      const html = katex.renderToString(formula, { output: "mathml" });
      const math = html.match(/<math[^]*<\/math>/)[0].replace(/<annotation[^]*<\/annotation>/, "");
      console.log(`${domain}: ${formula}: ${sre.toSpeech(math)}`);
    }
  }
})();
END
node ask.js >heard
cat >seen <<'END'
mathspeak: x^\top y: x Superscript normal down tack Baseline y
mathspeak: W^T: upper W Superscript upper T
mathspeak: x^{(2)}: x Superscript left parenthesis 2 right parenthesis
mathspeak: x^2: x squared
mathspeak: \|x\|_2: StartMetric x EndMetric Subscript 2
mathspeak: \bar x: ModifyingAbove x With ˉ
mathspeak: \hat y: ModifyingAbove y With caret
clearspeak: x^\top y: x raised to the normal down tack power y
clearspeak: W^T: W to the T power
clearspeak: x^{(2)}: x raised to the 2 power
clearspeak: x^2: x squared
clearspeak: \|x\|_2: the metric of x sub 2
clearspeak: \bar x: x ˉ
clearspeak: \hat y: y hat
END
diff seen heard && echo "as seen: katex-spoken-by-sre-a-label-is-a-power"
