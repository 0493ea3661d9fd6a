#!/bin/sh
# ONNX 1.23.2, models of one operator made newer by onnx.version_converter and run in ONNX
# Runtime 1.32.0 before and after.  Guessed: the same numbers, or a refusal; for this it is
# there.  Seen: Resize of version 10 and Upsample of 9 place their points by another rule
# from 11 on, whose name is an attribute, coordinate_transformation_mode; the converter does
# not write it, and the new default moves most points, in silence.  Softmax, whose axis
# changed its meaning in 13, is wrapped in a reshape and stays what it was; Hardmax, with
# the very same change, is not wrapped, and chooses per column what it chose per picture.
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
from onnx.version_converter import convert_version

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)


def made(kind, version, x, constants, **attributes):
    held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    node = helper.make_node(kind, ["x", *constants], ["y"], **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", x.shape), ("y", [None] * x.ndim))
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return " ".join(f"{entry:.2f}" for entry in session.run(None, {"x": x})[0].ravel() + 0.0)


row = numpy.array([[[[1.0, 2.0, 4.0]]]], dtype=numpy.float32)
square = numpy.array([[[1.0, 2.0], [4.0, 3.0]]], dtype=numpy.float32)
twice = {"scales": numpy.array([1.0, 1.0, 1.0, 2.0], dtype=numpy.float32)}
odd = {"scales": numpy.array([1.0, 1.0, 1.0, 2.3], dtype=numpy.float32)}
for words, x, model in (
    ("Upsample, linear", row, made("Upsample", 9, row, twice, mode="linear")),
    ("Resize, linear", row, made("Resize", 10, row, twice, mode="linear")),
    ("Resize, nearest", row, made("Resize", 10, row, odd, mode="nearest")),
    ("Hardmax from axis 1 on", square, made("Hardmax", 11, square, {}, axis=1)),
    ("Softmax from axis 1 on", square, made("Softmax", 11, square, {}, axis=1)),
):
    print(words)
    print(f"   version {model.opset_import[0].version}: {run(model, x)}")
    for version in (11, 13, 21):
        if version > model.opset_import[0].version:
            print(f"   converted to {version}: {run(convert_version(model, version), x)}")
END
cat >"$folder/seen" <<'END'
onnx 1.23.2 onnxruntime 1.32.0
Upsample, linear
   version 9: 1.00 1.50 2.00 3.00 4.00 4.00
   converted to 11: 1.00 1.25 1.75 2.50 3.50 4.00
   converted to 13: 1.00 1.25 1.75 2.50 3.50 4.00
   converted to 21: 1.00 1.25 1.75 2.50 3.50 4.00
Resize, linear
   version 10: 1.00 1.50 2.00 3.00 4.00 4.00
   converted to 11: 1.00 1.25 1.75 2.50 3.50 4.00
   converted to 13: 1.00 1.25 1.75 2.50 3.50 4.00
   converted to 21: 1.00 1.25 1.75 2.50 3.50 4.00
Resize, nearest
   version 10: 1.00 1.00 1.00 2.00 2.00 4.00
   converted to 11: 1.00 1.00 2.00 2.00 2.00 4.00
   converted to 13: 1.00 1.00 2.00 2.00 2.00 4.00
   converted to 21: 1.00 1.00 2.00 2.00 2.00 4.00
Hardmax from axis 1 on
   version 11: 0.00 0.00 1.00 0.00
   converted to 13: 0.00 0.00 1.00 1.00
   converted to 21: 0.00 0.00 1.00 1.00
Softmax from axis 1 on
   version 11: 0.03 0.09 0.64 0.24
   converted to 13: 0.03 0.09 0.64 0.24
   converted to 21: 0.03 0.09 0.64 0.24
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: onnx-a-newer-version-computes-other-numbers"
