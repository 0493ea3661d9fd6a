#!/bin/sh
# OpenVINO 2026.4.1 on the CPU reads ONNX models: operators with and without one attribute, beside
# onnx.reference and ONNX Runtime 1.32.0.  Guessed: the same numbers, or a refusal, as ONNX
# Runtime refuses the last one.  Seen: without the attribute all three agree.  Resize with
# exclude_outside=1, or with antialias=1, which is what makes a smaller picture a mean of all its
# pixels, gives the numbers of a Resize that has neither, in silence.  A recurrent network with
# layout=1, where the first axis is the sample, is run along that axis as if it were time: from
# three samples of two steps come two results that mix the samples.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("openvino", openvino.__version__.split("-")[0], "onnx", onnx.__version__)
print("onnxruntime", onnxruntime.__version__)


def made(kind, version, x, constants, outputs, **attributes):
    held = [numpy_helper.from_array(array, name) for name, array in constants.items() if name]
    node = helper.make_node(kind, ["x", *constants], outputs, **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", x.shape), ("y", [None] * x.ndim))
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def by_reference(model, x):
    return ReferenceEvaluator(onnx.load_from_string(model)).run(None, {"x": x})[0]


def by_openvino(model, x):
    core = openvino.Core()
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(core.read_model(model), "CPU", hint)([x])[0]


def by_onnxruntime(model, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options).run(None, {"x": x})[0]


def told(words, kind, version, x, constants, outputs=("y",), **attributes):
    model = made(kind, version, x, constants, outputs, **attributes)
    print(words)
    for way in (by_reference, by_onnxruntime, by_openvino):
        try:
            y = way(model, x)
            shape, numbers = "x".join(map(str, y.shape)), np.round(y.ravel()[:8], 2)
            print(f"   {way.__name__}: {shape}:", *(f"{entry + 0.0:.2f}" for entry in numbers))
        except Exception as error:
            print(f"   {way.__name__}: {type(error).__name__}")


row = np.array([[[[1.0, 2.0, 4.0, 8.0]]]], dtype=np.float32)
twice = {"": None, "scales": np.array([1, 1, 1, 2], dtype=np.float32)}
half = {"": None, "scales": np.array([1, 1, 1, 0.5], dtype=np.float32)}
told("Resize, cubic", "Resize", 18, row, twice, mode="cubic")
told("... exclude_outside=1", "Resize", 18, row, twice, mode="cubic", exclude_outside=1)
told("Resize, linear, by half", "Resize", 18, row, half, mode="linear")
told("... antialias=1", "Resize", 18, row, half, mode="linear", antialias=1)
x = np.array([[[1.0], [2.0]], [[-1.0], [0.5]], [[3.0], [0.0]]], dtype=np.float32)
weights = {"W": np.array([[[0.5]]], dtype=np.float32), "R": np.array([[[0.25]]], dtype=np.float32)}
told("RNN, two samples, three steps", "RNN", 14, x, weights, ("", "y"), hidden_size=1)
words = "... layout=1: three samples, two steps"
told(words, "RNN", 14, x, weights, ("", "y"), hidden_size=1, layout=1)
END
cat >"$folder/seen" <<'END'
openvino 2026.4.1 onnx 1.23.2
onnxruntime 1.32.0
Resize, cubic
   by_reference: 1x1x1x8: 0.89 1.16 1.56 2.42 3.16 5.12 7.16 8.42
   by_onnxruntime: 1x1x1x8: 0.89 1.16 1.56 2.42 3.16 5.12 7.16 8.42
   by_openvino: 1x1x1x8: 0.89 1.16 1.56 2.42 3.16 5.12 7.16 8.42
... exclude_outside=1
   by_reference: 1x1x1x8: 0.86 1.14 1.54 2.42 3.16 5.22 7.24 8.55
   by_onnxruntime: 1x1x1x8: 0.86 1.14 1.54 2.42 3.16 5.22 7.24 8.55
   by_openvino: 1x1x1x8: 0.89 1.16 1.56 2.42 3.16 5.12 7.16 8.42
Resize, linear, by half
   by_reference: 1x1x1x2: 1.50 6.00
   by_onnxruntime: 1x1x1x2: 1.50 6.00
   by_openvino: 1x1x1x2: 1.50 6.00
... antialias=1
   by_reference: 1x1x1x2: 1.75 5.75
   by_onnxruntime: 1x1x1x2: 1.75 5.75
   by_openvino: 1x1x1x2: 1.50 6.00
RNN, two samples, three steps
   by_reference: 1x2x1: 0.89 0.10
   by_onnxruntime: 1x2x1: 0.89 0.10
   by_openvino: 1x2x1: 0.89 0.10
... layout=1: three samples, two steps
   by_reference: 3x1x1: 0.81 0.13 0.22
   by_onnxruntime: Fail
   by_openvino: 1x2x1: 0.89 0.10
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: openvino-an-attribute-is-passed-over"
