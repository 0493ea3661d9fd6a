"""The formulas of the curriculum's first ten lessons, each with the code it is about."""

__all__ = ["CORPUS", "REFUSED"]

X = "x = torch.arange(4.0, requires_grad=True)\n"
AB = "x = torch.tensor({}, requires_grad=True); y = torch.tensor({}, requires_grad=True)\n"
F4 = r"""
X = torch.tensor([[1., 2, 3], [4, 5, 6]], requires_grad=True)
W = torch.tensor([[1., 0], [0, 1], [1, 1]], requires_grad=True)
b = torch.tensor([.5, -.5], requires_grad=True)
Y = X @ W + b
G = Y.detach()
L = (Y ** 2).sum() / 2
"""
OUTER = """
a = torch.tensor([[1.], [2], [3]], requires_grad=True)
b = torch.tensor([1., 2, 3, 4], requires_grad=True)
"""

CORPUS = {
    "B1": [
        (
            X + "y = 2 * torch.dot(x, x)",
            [
                r"y=2\,\mathbf x^\top\mathbf x=2\sum_{i=0}^{3}x_i^2",
                r"y = 28",
                r"\nabla_{\mathbf x}y=4\mathbf x=(0,4,8,12)",
                r"\nabla_x y + \mathbf 1 = 4x+1 = (1,5,9,13)",
                r"2\,x\cdot x = y",
            ],
        ),
        (
            X + "y = x.sum()",
            [
                r"y=\sum_i x_i = 6",
                r"\nabla_{\mathbf x}y=\mathbf 1 = (1,1,1,1)",
            ],
        ),
        (
            X + "z = torch.ones(4, requires_grad=True); y = x.dot(z)",
            [
                r"y=x^\top z = 6",
                r"\nabla_x y=z",
                r"\nabla_z y=x=(0,1,2,3)",
            ],
        ),
        (
            X
            + "z = torch.tensor([1., 10, 100, 1000], requires_grad=True); y = x.dot(z)",
            [
                r"z=(1,10,100,1000)",
                r"y=3210",
                r"\nabla_x y = z",
                r"\nabla_z y = x",
            ],
        ),
        (
            X + "z = x ** 2; y = x.dot(z)",
            [
                r"z_i=x_i^2",
                r"y=\sum_i x_i z_i = 36",
                r"y=\sum_i x_i^3",
                r"\nabla_x y=3x^2=(0,3,12,27)",
                r"\frac{\partial y}{\partial z}=x=(0,1,2,3)",
                r"x\cdot x^2 = y",
                r"z + 2x^2 = 3x^2",
            ],
        ),
        (
            X + "z = x ** 3; y = x.dot(z)",
            [
                r"z=x^3, y=x\cdot z",
                r"\nabla_x y = 4x^3=(0,4,32,108)",
                r"\nabla_z y = x",
            ],
        ),
        (X + "z = (x ** 2).detach(); y = x.dot(z)", [r"\nabla_x y = x^2=(0,1,4,9)"]),
        (X + "y = 2 * x.dot(x); y2 = 2 * y", [r"\nabla_x y_2 = 8x=(0,8,16,24)"]),
        (X + "y = x.mean()", [r"\nabla_x y = \frac14 \mathbf 1"]),
    ],
    "F1": [
        (
            "",
            [
                r"f(x)=3x^2-4x",
                r"f'(x) = 6x - 4",
                r"f'(1)=2",
                r"\frac{f(1 + .1) - f(1)}{.1} = 2.3",
                r"\frac{f(1.01) - f(1)}{0.01} = 2.03",
                r"h = 0.001, \frac{f(1 + h) - f(1)}{h} = 2.003",
            ],
        ),
        (
            "",
            [
                r"f(x, y)=x^2y+3y",
                r"\nabla f=(2xy,x^2+3)",
                r"\nabla f(2, 1) = (4,7)",
                r"u = (3,4)/5",
                r"\nabla f(2,1) \cdot u = 8",
                r"\|\nabla f(2,1)\|_2 = \sqrt{65}=8.0623",
                r"\nabla f(2,1) \cdot (7,-4)/\sqrt{65} = 0",
            ],
        ),
        (
            AB.format("2.", "1.") + "f = x ** 2 * y + 3 * y",
            [
                r"f=x^2y+3y",
                r"\nabla_{x,y} f=(2xy,x^2+3)=(4,7)",
            ],
        ),
        (
            "x = torch.tensor([3., 4], requires_grad=True); n = x.norm()",
            [
                r"n = \|x\|_2 = 5",
                r"\nabla_x n = \frac{x}{\|x\|_2} = (.6,.8)",
                r"\nabla_x \|x\|_2 = (.6, .8)",
            ],
        ),
        ("", [r"f(x) = x^x", r"f'(2) = 4(\ln2+1)=6.7726"]),
        (
            "x = torch.tensor([1., 0], requires_grad=True);"
            "y = 3 * x[0] ** 2 + 5 * x[1].exp()",
            [
                r"y=3x_0^2+5e^{x_1}",
                r"\nabla_x y=(6,5)",
                r"\nabla y = (6x_0, 5e^{x_1})",
            ],
        ),
    ],
    "F2": [
        (
            AB.format("-2.", "5.") + "z = torch.tensor(-4., requires_grad=True)\n"
            "q = x + y; f = q * z",
            [
                r"f=(x+y)z = -12",
                r"\nabla_{x,y,z} f=(-4,-4,3)",
                r"\bar q=-4, \bar z=3, \bar x=\bar y=-4",
                r"\bar q = z",
                r"-12+.01\cdot41=-11.59",
                r"(-2 - .04 + 5 - .04)(-4 + .03) = -11.5924",
            ],
        ),
        (
            "a = torch.tensor(2., requires_grad=True); b = torch.tensor(5., requires_grad=True)"
            "\nf = a.log() + a * b - b.sin()",
            [
                r"f=\ln a+ab-\sin b = 11.6521",
                r"\partial_a f=\frac1a+b=5.5",
                r"\partial_b f=a-\cos b=1.7163",
                r"\frac{\partial f}{\partial a} = 1/a + b",
            ],
        ),
        (
            "w = torch.tensor([2., -3], requires_grad=True); w2 = torch.tensor(-3.)\n"
            "x = torch.tensor([-1., -2]); out = torch.sigmoid(w @ x + w2)",
            [
                r"w\cdot x+w_2 = 1",
                r"\text{out} = \sigma(w\cdot x+w_2)",
                r"\sigma(1)=.7311",
                r"\sigma'(1)=.1966",
                r"\sigma'(1)=\sigma(1)(1-\sigma(1)) \approx .7311(1-.7311) \approx 0.1966",
                r"\nabla_w \text{out}=(-.1966,-.3932)",
            ],
        ),
    ],
    "F3": [
        (
            "x = torch.tensor(3., requires_grad=True); y = x * x ** 2",
            [
                r"y=x\cdot x^2",
                r"\frac{dy}{dx} = x^2 + x\cdot 2x = 9+18=27",
                r"\frac{dy}{dx} = \underbrace{x^2}_{\text{direct}} +"
                r" \underbrace{x \cdot 2x}_{\text{via } z}",
            ],
        ),
        (
            AB.format("3.", "-4.") + "z = torch.tensor(2., requires_grad=True);"
            "w = torch.tensor(-1., requires_grad=True);"
            "f = 2 * (x * y + torch.maximum(z, w))",
            [
                r"f = 2(xy+\max(z,w))",
                r"\nabla_{x,y,z,w} f = (-8,6,2,0)",
            ],
        ),
        (
            AB.format("3.", "-4.") + "s = torch.sigmoid\n"
            "f = (x + s(y)) / (s(x) + (x + y) ** 2)",
            [
                r"f = \frac{x+\sigma(y)}{\sigma(x)+(x+y)^2} = 1.545645",
                r"\nabla_{x,y} f=(2.059570,1.592233)",
            ],
        ),
        (
            "x = torch.tensor(2., requires_grad=True); f = (x ** 2).log() * x.sin() + 1 / x",
            [
                r"f = \ln(x^2)\sin x+1/x",
                r"df/dx=0.0823954",
            ],
        ),
        ("", [r"g(x) = \ln(x^2)\sin x+1/x", r"g'(2)=0.0823954"]),
        (
            "x = torch.tensor(1.001, dtype=torch.float64, requires_grad=True)\n"
            "u = x\nfor _ in range(10): u = u ** 2",
            [
                r"2^{10} = 1024",
                r"u = x^{1024}",
                r"\frac{du}{dx} = 1024x^{1023}=2846.83",
            ],
        ),
        (
            "a = torch.tensor(1., requires_grad=True); y = a + a",
            [
                r"y=a+a",
                r"\frac{\partial y}{\partial a} = 2",
            ],
        ),
        (
            "x = torch.tensor([1., 2, 3], requires_grad=True)\n"
            "h = (x - x.mean()) / x.var(unbiased=False).sqrt(); v = torch.tensor([1., 0, 0])",
            [
                r"v^\top J = (.2041,-.4082,.2041)",
            ],
        ),
    ],
    "F4": [
        (
            "A = torch.tensor([[1., 2], [3, 4]], requires_grad=True);"
            "x = torch.tensor([1., -1], requires_grad=True); y = x @ A @ x",
            [
                r"A=\begin{pmatrix}1&2\\3&4\end{pmatrix}, x=(1,-1)",
                r"y = x^\top Ax",
                r"\nabla_x y=(A+A^\top)x=(-3,-3)",
                r"\nabla_A y=xx^\top",
                r"\nabla_x (x^\top A x) = (A + A^\top)x",
            ],
        ),
        (
            F4,
            [
                r"Y = XW + b=\begin{pmatrix}4.5&4.5\\10.5&10.5\end{pmatrix}",
                r"L=\frac12\|XW+b\|_F^2=130.5",
                r"\nabla_W L = X^\top G ="
                r"\begin{pmatrix}46.5&46.5\\61.5&61.5\\76.5&76.5\end{pmatrix}",
                r"\nabla_b L = \sum_n G_n = (15,15)",
                r"\nabla_X L = GW^\top=\begin{pmatrix}4.5&4.5&9\\10.5&10.5&21\end{pmatrix}",
                r"\partial L/\partial W_{21}=\sum_nX_{n2}G_{n1}=3\cdot4.5+6\cdot10.5=76.5",
            ],
        ),
        (
            "X = torch.tensor([[2., 1], [1, 3]], requires_grad=True);"
            "A = torch.tensor([[1., 2], [3, 4]])",
            [
                r"\nabla_X\operatorname{tr}(AX)=A^\top",
                r"\nabla_X\ln\det X=X^{-\top}=\begin{pmatrix}.6&-.2\\-.2&.4\end{pmatrix}",
                r"\nabla_X\|X\|_F^2=2X",
            ],
        ),
        (
            OUTER + "y = (a * b).sum()",
            [
                r"a = (1,2,3)^\top, b = (1,2,3,4)",
                r"\nabla_a y = (10,10,10)^\top",
                r"\nabla_b y = 6 \cdot \mathbf 1",
            ],
        ),
        (
            OUTER + "y = (a + b).sum()",
            [
                r"\nabla_a y = (4,4,4)^\top",
                r"\nabla_b y = (3,3,3,3)",
            ],
        ),
        (
            OUTER + "a = a.detach().flatten().requires_grad_()\n"
            "y = ((a[:, None] + b) ** 2).sum() / 12",
            [
                r"y = \frac1{12}\sum_{i,j}(a_i+b_j)^2",
                r"\nabla_a y=(2.3333,3,3.6667)",
                r"\nabla_b y=(1.5,2,2.5,3)",
                r"\frac{\partial y}{\partial a_i} = \frac16 \sum_j (a_i + b_j)",
            ],
        ),
    ],
    "F5": [
        (
            "x = torch.arange(4.0, requires_grad=True); y = x ** 2;"
            "v = torch.tensor([1., 10, 100, 1000])",
            [
                r"y=x^2",
                r"J=\operatorname{diag}(0,2,4,6)",
                r"J = \frac{\partial y}{\partial x} = 2\operatorname{diag} x",
                r"\mathbf1^\top J = (0,2,4,6)",
                r"v=(1,10,100,1000)",
                r"v^\top J = (0,20,400,6000)",
                r"\frac{\partial y_i}{\partial x_i} = 2x_i",
            ],
        ),
        (
            "x = torch.tensor([0., 3], requires_grad=True);"
            "f = torch.stack([x[0] * x[1], x[0].sin(), x[1] ** 2]);"
            "v = torch.tensor([1., 2, 3]); u = torch.tensor([1., 1])",
            [
                r"f=(x_0x_1,\sin x_0,x_1^2)",
                r"J=\begin{pmatrix}3&0\\1&0\\0&6\end{pmatrix}",
                r"v^\top J=(5,18)",
                r"Ju=(3,1,6)",
                r"v\cdot Ju=23=v^\top J u",
                r"(v^\top J) u = 23",
                r"e_1^\top J = (1, 0)",
            ],
        ),
    ],
    "F6": [
        (X + "y = 2 * x.dot(x)", [r"2 \nabla_x y = 8x = (0,8,16,24)"]),
        (
            "w = torch.tensor(1., requires_grad=True);"
            "x = torch.tensor([1., 2, 3, 4]); y = 2 * x; L = ((w * x - y) ** 2).mean()",
            [
                r"w=1, x=(1,2,3,4), y=2x",
                r"dL/dw=-15",
                r"\frac{dL}{dw} = \operatorname{mean}(2(wx - y) \odot x)",
                r"L = \frac14 \sum_i (w x_i - y_i)^2",
            ],
        ),
        (
            "w = torch.tensor(1., requires_grad=True); x = torch.tensor([1., 2, 3, 4]);"
            "e = (w * x - 2 * x) ** 2; L = e[:3].mean() / 2 + e[3:].mean() / 2;"
            "M = 3 / 4 * e[:3].mean() + 1 / 4 * e[3:].mean()",
            [
                r"\frac{dL}{dw} = -20.667",
                r"\frac{dM}{dw} = -15",
            ],
        ),
    ],
    "F7": [
        (X + "z = x ** 2; y = x.dot(z)", [r"z=x^2", r"\partial y/\partial z = x"]),
    ],
    "F8": [
        (
            X + "u = (x ** 2).detach(); y = (u * x).sum()",
            [
                r"y=\sum_i u_i x_i",
                r"\nabla_x y = x^2=(0,1,4,9)",
                r"\nabla_x y = u",
            ],
        ),
        (
            "x = torch.tensor(2., requires_grad=True); w = 3.0; y = w * x ** 2",
            [
                r"w=3",
                r"y = wx^2",
                r"\frac{dy}{dx} = 2wx = 12",
            ],
        ),
        (
            "x = torch.tensor([1., 2, 3], requires_grad=True); out = torch.sigmoid(x);"
            "y = out.sum()",
            [
                r"\text{out}=\sigma(1,2,3)",
                r"\nabla_x y = (.1966,.1050,.0452)",
                r"\nabla_x y = \text{out} \odot (1 - \text{out})",
            ],
        ),
        (
            "x = torch.arange(3.0, requires_grad=True); y = (x.detach() * x).sum()",
            [
                r"\nabla_x y = x",
            ],
        ),
        (
            "theta = torch.tensor([.1, -.1, 0], requires_grad=True)\n"
            "s = torch.tensor([1., 2, -1]); t = torch.tensor([2., 1, 0])\n"
            "L = (1 + theta @ t - theta @ s) ** 2\n",
            [
                r"\theta=(.1,-.1,0)",
                r"L = (1 + \theta^\top t - \theta^\top s)^2",
                r"\nabla_\theta L = 2(1 + \theta^\top (t - s))(t - s)",
            ],
        ),
    ],
    "F9": [
        (
            "a = torch.tensor(.5, requires_grad=True); f = 1024 * a ** 2 * 4 / 1",
            [
                r"a=.5",
                r"f=1024",
                r"\frac{df}{da}=4096",
            ],
        ),
        (
            "a = torch.tensor([.6, .8], requires_grad=True); f = 1024 * a",
            [
                r"a=(.6,.8)",
                r"J=1024I",
                r"\frac{\partial f}{\partial a} = 1024 I",
            ],
        ),
        (
            "a = torch.tensor(-0.5, requires_grad=True); f = abs(a)",
            [
                r"f = |a| = 0.5",
                r"\frac{df}{da} = -1",
            ],
        ),
        (
            "b = torch.tensor([3., 7, 5], requires_grad=True); p = b.sort().values[-2]",
            [
                r"b = (3,7,5), p=5",
                r"\nabla_b p = (0,0,1)",
                r"\nabla_b p = e_2",
            ],
        ),
    ],
}

REFUSED = [  # what the curriculum's shorthand leaves open, and the word of the remedy
    (X, r"y=2x^Tx=2\sum_{d=1}^{D}x_i*x_i", "D"),
    (X + "y = x.sum()", r"\nabla=(1,1,1,1)", "gradient of what"),
    (F4, r"dW = X^\top G", r"write \nabla"),
    ("", r"h=.1,.01,.001", "one equation"),
    (F4, r"\nabla_b L = 15", r"\mathbf 1"),
    (X + "y = x ** 2", r"\nabla_x y = 2x", "Jacobian"),
    (X + "y = x.sum()", r"y = 1e-5", r"\cdot 10"),
    (X + "y = x.sum()", r"\nabla_x y = (1, \ldots, 1)", "dots"),
    (X + "y = x.sum()", r"y = \sum_{i=1}^{4} x_i", "count from 0"),
]
