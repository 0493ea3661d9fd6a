#!/bin/sh
# ONNX 1.23.2: onnx.reference, which is to say what an operator means, beside the formula of
# the specification and ONNX Runtime 1.32.0.  Guessed: the three agree, for each version that
# is accepted.  Seen: they agree for new versions.  Softmax, LogSoftmax and Hardmax of
# version 11 run over all axes from the given one on; the reference has one rule for every
# version and runs over that axis alone.  BatchNormalization of version 9 with one output
# uses the stored mean and variance; the reference takes the momentum, which has a default,
# for a sign of training, and mixes a tenth of the batch's own into them.  All in silence.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)


def asked(words, kind, version, x, true, constants=(), **attributes):
    held = [numpy_helper.from_array(array, f"c{n}") for n, array in enumerate(constants)]
    node = helper.make_node(kind, ["x", *(each.name for each in held)], ["y"], **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", x.shape), ("y", [None] * x.ndim))
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    print(f"{words}, version {version}")
    for name, y in {
        "by the specification": true,
        "onnxruntime": session.run(None, {"x": x})[0],
        "onnx.reference": ReferenceEvaluator(model).run(None, {"x": x})[0],
    }.items():
        print(f"   {name}: {' '.join(f'{entry:.3f}' for entry in numpy.ravel(y) + 0.0)}")


x = numpy.array([[[1.0, 2.0], [4.0, 3.0]]], dtype=numpy.float32)
along = numpy.exp(x) / numpy.exp(x).sum(axis=1, keepdims=True)
asked("Softmax, axis 1", "Softmax", 13, x, along, axis=1)
asked("Softmax from axis 1 on", "Softmax", 11, x, numpy.exp(x) / numpy.exp(x).sum(), axis=1)
asked("LogSoftmax from axis 1 on", "LogSoftmax", 11, x, x - numpy.log(numpy.exp(x).sum()), axis=1)
asked("Hardmax from axis 1 on", "Hardmax", 11, x, x == 4, axis=1)
scale, shift, mean, variance = (
    numpy.array(pair, dtype=numpy.float32) for pair in ([1, 2], [0, 1], [2, 1], [4, 1])
)
normal = numpy.stack([(x[0, 0] - 2) / 2, 2 * (x[0, 1] - 1) + 1])[None]
for version in (9, 15):
    constants = (scale, shift, mean, variance)
    asked("BatchNormalization", "BatchNormalization", version, x, normal, constants, epsilon=1e-9)
END
cat >"$folder/seen" <<'END'
onnx 1.23.2 onnxruntime 1.32.0
Softmax, axis 1, version 13
   by the specification: 0.047 0.269 0.953 0.731
   onnxruntime: 0.047 0.269 0.953 0.731
   onnx.reference: 0.047 0.269 0.953 0.731
Softmax from axis 1 on, version 11
   by the specification: 0.032 0.087 0.644 0.237
   onnxruntime: 0.032 0.087 0.644 0.237
   onnx.reference: 0.047 0.269 0.953 0.731
LogSoftmax from axis 1 on, version 11
   by the specification: -3.440 -2.440 -0.440 -1.440
   onnxruntime: -3.440 -2.440 -0.440 -1.440
   onnx.reference: -3.049 -1.313 -0.049 -0.313
Hardmax from axis 1 on, version 11
   by the specification: 0.000 0.000 1.000 0.000
   onnxruntime: 0.000 0.000 1.000 0.000
   onnx.reference: 0.000 0.000 1.000 1.000
BatchNormalization, version 9
   by the specification: -0.500 0.000 7.000 5.000
   onnxruntime: -0.500 0.000 7.000 5.000
   onnx.reference: -0.499 0.026 6.719 4.639
BatchNormalization, version 15
   by the specification: -0.500 0.000 7.000 5.000
   onnxruntime: -0.500 0.000 7.000 5.000
   onnx.reference: -0.500 0.000 7.000 5.000
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: onnx-the-reference-reads-old-models-as-new"
