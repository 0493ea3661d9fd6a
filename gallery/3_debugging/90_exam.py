r"""
Twelve broken scripts
=====================

Six scripts raise an error, and six are silent and wrong. We say in one sentence what is
wrong with each, before we see it, and repair it; a command in the zip tells which are
right.

:Time: 60 minutes
:Needs: :doc:`Reading error messages </lessons/3_debugging/10_error_messages>`,
   :doc:`In place, and versions </lessons/3_debugging/20_in_place>`,
   :doc:`The second backward </lessons/3_debugging/30_second_backward>`,
   :doc:`Silent mistakes </lessons/3_debugging/40_silent_mistakes>`,
   :doc:`NaN and infinity </lessons/3_debugging/60_nan_and_inf>`,
   :doc:`Modules and optimisers </lessons/2_practice/60_modules_and_optimisers>`
:Level: Debugging
:Tags: errors, .grad, training
"""

# %%
# Each script has up to 15 lines, and ends in an assertion that fails. Find the cause,
# say it in one sentence, and change the script so that the assertion holds. The
# assertion itself is right, and so are the data, the step size and the number of
# rounds.
#
# ``attempt`` runs a script, with one passage replaced if we like, and prints how it
# ends. What the script has named is in ``names`` afterwards. Who has the zip can change
# the scripts themselves, in the folder ``90_exam``.

import warnings
from pathlib import Path

from torchutils import make_dot

scripts = sorted(Path("90_exam").glob("[01]*.py"))
assert scripts, "the folder 90_exam is in the zip of this page"
names = {}


def attempt(number, old="", new=""):
    names.clear()
    code = scripts[number - 1].read_text()
    assert old in code, f"script {number} has no {old!r}"
    try:
        with warnings.catch_warnings(action="ignore"):
            exec(code.replace(old, new), names)
    except Exception as error:
        print(f"{type(error).__name__}: {error}".split(". ")[0])
    else:
        print("repaired")


# %%
# The first six raise an error, the others reach their assertion.

# %%
# Script 1: a prediction
# ----------------------
#
# One weight multiplies three inputs. The slope of the sum of the squared errors is
# wanted.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/01_predict.py

attempt(1)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       ``no_grad`` covers ``predict``, so there is no record between the weight and the
#       loss. The decorator belongs to an evaluation. Without it:
#
#       >>> attempt(1, "@torch.no_grad()\n")
#       repaired
#
#       A loss that is told to require a gradient takes the message away, and no
#       gradient arrives at the weight:
#
#       >>> attempt(1, "loss.backward()", "loss.requires_grad = True; loss.backward()")
#       AssertionError: None

# %%
# Script 2: three squares
# -----------------------
#
# The same weight, and the *mean* of the squared errors.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/02_squares.py

attempt(2)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       ``loss`` holds three numbers, and ``backward()`` without weights begins at one.
#       Which one is wanted, the text says: their mean.
#
#       >>> attempt(2, "(w * x - t) ** 2", "((w * x - t) ** 2).mean()")
#       repaired
#
#       ``gradient=`` takes the message away as well. Ones as weights find the slope of
#       the sum, three times as large:
#
#       >>> attempt(2, "backward()", "backward(gradient=torch.ones(3))")
#       AssertionError: tensor(-28.)

# %%
# Script 3: a logarithm
# ---------------------
#
# The logarithm of 1 plus an exponential. Its slope is the sigmoid.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/03_logarithm.py

attempt(3)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       ``exp`` has saved its result for the way back, and ``+=`` overwrites it. A new
#       tensor leaves it alone:
#
#       >>> attempt(3, "y += 1", "y = y + 1")
#       repaired
#
#       ``.data`` hides the change from the version counter, and not from the numbers.
#       Now the slope is wrong, and the assertion alone says so:
#
#       >>> attempt(3, "y += 1", "y.data += 1")
#       AssertionError: tensor([1., 1.])

# %%
# Script 4: a step by hand
# ------------------------
#
# Twenty steps of gradient descent, without an optimiser. The best weight is 2.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/04_step.py

attempt(4)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       ``w`` is a leaf that requires a gradient, and the step would be recorded. A step
#       is no part of the function, so it belongs under ``no_grad``:
#
#       >>> attempt(4, "w -= 0.01 * w.grad", "with torch.no_grad(): w -= 0.01 * w.grad")
#       repaired
#
#       A new tensor alone, as in the script before, is no repair here. The new ``w`` is
#       a result and no leaf, and in the second round its ``.grad`` is ``None``:
#
#       >>> attempt(4, "w -= 0.01 * w.grad", "w = w - 0.01 * w.grad")
#       TypeError: unsupported operand type(s) for *: 'float' and 'NoneType'

# %%
# Script 5: twenty rounds
# -----------------------
#
# The same with an optimiser.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/05_rounds.py

attempt(5)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       The prediction is computed once, above the loop. The first backward step frees
#       what it has saved. It belongs into the loop, where it sees the new weight:
#
#       >>> attempt(5, "p - t", "w * x - t")
#       repaired
#
#       The rest of the message recommends ``retain_graph=True``. The loop then runs,
#       with the prediction of the first weight in each round, and runs past 2:
#
#       >>> attempt(5, "backward()", "backward(retain_graph=True)")
#       AssertionError: tensor(6.6000, requires_grad=True)

# %%
# Script 6: a state
# -----------------
#
# The state ``h`` of a recurrent network is carried from round to round. The loss of a
# round is its state, and its slope is to be that of the round alone: the state before
# it.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/06_state.py

attempt(6)

# %%
# .. predict::
#
#    In one sentence: why does it raise? Which line would you change?
#
#    .. answer::
#
#       The state brings its graph along, and the round before has freed it. Cut it off
#       where the round begins:
#
#       >>> attempt(6, "w * h", "w * h.detach()")
#       repaired
#
#       With ``retain_graph=True`` the way back leads through the rounds before, where
#       the optimiser has written into the weight. And a state that begins anew in each
#       round is another network:
#
#       >>> attempt(6, "ward()", "ward(retain_graph=True)")  # doctest: +ELLIPSIS
#       RuntimeError: one of the variables needed for gradient computation has been ...
#       >>> attempt(6, "w * h", "w * torch.tensor(1.0)")
#       AssertionError: tensor(0.2000, requires_grad=True)

# %%
# Script 7: a line
# ----------------
#
# Three points on a line through zero. Its slope is 2.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/07_line.py

attempt(7)

# %%
# .. predict::
#
#    In one sentence: what does it compute instead? Which line would you change?
#
#    .. answer::
#
#       ``x @ w`` is a column and ``t`` a row, so the mean is over nine squares: each
#       prediction is compared with each target. Make the shapes equal:
#
#       >>> attempt(7, "- t)", "- t[:, None])")
#       repaired
#
#       To train longer does not help. The wrong loss has its minimum there:
#
#       >>> attempt(7, "range(20)", "range(200)")
#       AssertionError: tensor([[1.7143]], requires_grad=True)

# %%
# Script 8: fifteen rounds
# ------------------------
#
# Gradient descent again. The best weight is 2.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/08_descent.py

attempt(8)

# %%
# .. predict::
#
#    In one sentence: what does it compute instead? Which line would you change?
#
#    .. answer::
#
#       Nobody empties ``.grad``, so each round adds its gradient to those before it.
#       Empty it before the backward step:
#
#       >>> attempt(8, "loss.b", "optimizer.zero_grad(); loss.b")
#       repaired
#
#       In the wrong place it empties what the step should read, or empties once and
#       then no more:
#
#       >>> attempt(8, "backward()", "backward(); optimizer.zero_grad()")
#       AssertionError: tensor(1., requires_grad=True)
#       >>> attempt(8, "for _", "optimizer.zero_grad()\nfor _")
#       AssertionError: tensor(2.4479, requires_grad=True)
#
#       Twenty rounds in the place of fifteen meet the assertion, and repair nothing.
#       The weight swings around 2, and is near it just then. After one round more it is
#       not:
#
#       >>> attempt(8, "range(15)", "range(20)")
#       repaired
#       >>> attempt(8, "range(15)", "range(21)")
#       AssertionError: tensor(1.4863, requires_grad=True)

# %%
# Script 9: a limit
# -----------------
#
# A loss, its slopes at the weights with which it was computed, and afterwards no weight
# above 1.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/09_limit.py
#
# .. predict::
#
#    What does ``w.grad`` hold at the end of the script? And in one sentence: why,
#    and which line would you change?
#
#    .. ask:: names["w"].grad
#
#    .. answer::
#
#       1 and 4: :math:`2 \cdot 0.5 \cdot 1 = 1` and :math:`2 \cdot 1 \cdot 2 = 4`, the
#       slopes at the weights after the cut.
#
#       The second weight is cut off between the loss and its backward step. The
#       square has saved it, and ``.data`` hides the change, so the slope is that of
#       another place. Go back first:
#
#       >>> attempt(9, "w.data.clamp_(max=1.0)\nloss.backward()",
#       ...     "loss.backward()\nwith torch.no_grad(): w.clamp_(max=1.0)")
#       repaired
#
#       ``detach`` in the place of ``.data`` makes an error of it. That is better, and
#       no repair:
#
#       >>> attempt(9, ".data", ".detach()")  # doctest: +ELLIPSIS
#       RuntimeError: one of the variables needed for gradient computation has been ...
#
#       .. wrong:: [1, 12]
#
#          These are the slopes where the loss was computed, and they are wanted. The
#          square has saved the weights themselves, and no copy of them.

attempt(9)

# %%
# Script 10: a list of losses
# ---------------------------
#
# Three losses, their sum, and half the square of the weight as a penalty.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/10_penalty.py
#
# .. predict::
#
#    What does ``w.grad`` hold at the end of the script? And in one sentence: why,
#    and which line would you change?
#
#    .. ask:: names["w"].grad
#
#    .. answer::
#
#       1, the slope of the penalty alone.
#
#       ``item()`` makes plain numbers of the losses, and ``torch.tensor`` a leaf of
#       these. What arrives at the weight is the slope of the penalty. Stack the losses
#       themselves:
#
#       >>> attempt(10, "torch.tensor([((w * a - b) ** 2).item()",
#       ...     "torch.stack([(w * a - b) ** 2")
#       repaired
#
#       A leaf that requires a gradient gets one, and passes none on:
#
#       >>> attempt(10, "zip(x, t)]", "zip(x, t)], requires_grad=True")
#       AssertionError: tensor(1.)
#
#       .. wrong:: -27
#
#          This is the slope of the whole loss, which is wanted. Look at what the list
#          holds.
#
#       .. wrong:: -28
#
#          This is the slope of the three losses alone. They are what does not arrive.

attempt(10)

# %%
# Script 11: a root
# -----------------
#
# The sum of the roots of the positive entries. Its slope at ``w = 1`` is 1.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/11_root.py

attempt(11)

# %%
# .. predict::
#
#    In one sentence: what does it compute instead? Which line would you change?
#
#    .. answer::
#
#       ``where`` sends a zero to the branch that was not taken. There the zero meets
#       the slope of the root: infinite at 0, NaN below. Choose *before* the root as
#       well:
#
#       >>> attempt(11, "x.sqrt()", "torch.where(x > 0, x, 1.0).sqrt()")
#       repaired
#
#       A small number under the root cures the entry at 0, and not the negative one. To
#       replace the NaN at the weight throws away the right part of the sum with it:
#
#       >>> attempt(11, "x.sqrt()", "(x + 1e-9).sqrt()")
#       AssertionError: tensor(nan)
#       >>> attempt(11, "backward()", "backward(); w.grad.nan_to_num_()")
#       AssertionError: tensor(0.)

# %%
# Script 12: a slip of the pen
# ----------------------------
#
# Three predictions. The last target is a slip of the pen. Half the squared error pulls
# each prediction with the size of its error. It should pull no harder than 1.
#
# .. admonition:: Wrong on purpose
#
#    .. literalinclude:: 90_exam/12_outlier.py
#
# .. predict::
#
#    What does ``p.grad`` hold at the end of the script, and, in one sentence, why?
#
#    .. ask:: names["p"].grad
#
#    .. answer::
#
#       :math:`(0.5, -0.5, 0)`. The first two are the errors themselves. The *error* is
#       cut off, and the slope of what is cut off is 0: the last prediction is not
#       pulled at all.
#
#       .. wrong:: [0.5, -0.5, -1]
#
#          This is what is wanted, a pull no harder than 1. The value is cut off at this
#          limit, and its slope there is another matter.
#
#       .. wrong:: [0.5, -0.5, -27]
#
#          This is the pull without a limit.

attempt(12)

# %%
# .. predict::
#
#    In one sentence: which loss pulls no harder than 1, and still pulls?
#
#    .. answer::
#
#       The Huber loss, which goes on as a line where the error is large:
#
#       >>> attempt(12, "(error**2).sum() / 2",
#       ...     "torch.nn.functional.huber_loss(p, t, reduction='sum')")
#       repaired
#
#       To drop the limit is no repair:
#
#       >>> attempt(12, ".clamp(-1, 1)", "")
#       AssertionError: tensor([  0.5000,  -0.5000, -27.0000])

# %%
# A lost path, drawn
# ------------------
#
# A drawing shows some of the causes at once. The loss of script 10, as it is:

attempt(10)
make_dot(names["loss"], names)

# %%
# One path leads to the weight, by way of the penalty. The sum of the three losses came
# in without a record.

# %%
# On your own machine
# -------------------
#
# The zip of this page holds the twelve scripts, and a program that looks at them. It
# needs Python and PyTorch.
#
# .. code-block:: text
#
#    python 90_exam/check.py
#
# It runs each script in a process of its own, for up to a minute, and prints a line
# for each: that it is repaired, or what it says. Who deletes or changes the assertion,
# the data, the step size or the number of rounds is told so. A script whose assertion
# holds runs once more, with another number in its data: what was right by luck, or
# written into ``.grad`` by hand, is wrong then.

# %%
# Where each is taught
# --------------------
#
# .. list-table::
#    :header-rows: 1
#
#    * - script
#      - what was wrong
#      - lesson
#    * - 1
#      - a forward pass under ``no_grad``
#      - :ref:`No record behind the result
#        <lessons/3_debugging/10_error_messages:No record behind the result>`
#    * - 2
#      - several numbers in the place of one
#      - :ref:`The question does not fit
#        <lessons/3_debugging/10_error_messages:The question does not fit>`
#    * - 3
#      - a saved result, overwritten
#      - :ref:`One saved value
#        <lessons/3_debugging/20_in_place:One saved value>`
#    * - 4
#      - a step that is recorded
#      - :ref:`Three ways to write it wrongly
#        <lessons/2_practice/10_gradient_descent:Three ways to write it wrongly>`
#    * - 5
#      - a forward pass above the loop
#      - :ref:`The record is used up or spoiled
#        <lessons/3_debugging/10_error_messages:The record is used up or spoiled>`
#    * - 6
#      - a state with its graph
#      - :ref:`A state from the round before
#        <lessons/3_debugging/30_second_backward:A state from the round before>`
#    * - 7
#      - a column minus a row
#      - :ref:`Shapes that fit by chance
#        <lessons/3_debugging/40_silent_mistakes:Shapes that fit by chance>`
#    * - 8
#      - ``.grad`` not emptied
#      - :ref:`Forgetting to empty
#        <lessons/1_foundations/60_accumulation:Forgetting to empty>`
#    * - 9
#      - a change through ``.data``
#      - :ref:`What nobody notices
#        <lessons/3_debugging/20_in_place:What nobody notices>`
#    * - 10
#      - a list made into a tensor
#      - :ref:`A path that is lost
#        <lessons/3_debugging/40_silent_mistakes:A path that is lost>`
#    * - 11
#      - zero times infinity
#      - :ref:`The branch that was not taken
#        <lessons/3_debugging/60_nan_and_inf:The branch that was not taken>`
#    * - 12
#      - a clipped error
#      - :ref:`Do not clip the error
#        <lessons/2_practice/60_modules_and_optimisers:Do not clip the error>`

# %%
# What we can do now
# ------------------
#
# - Say what is wrong before we change a line.
# - Tell a repair from a change that takes a message away: an assertion on the gradient
#   knows the difference, and the same with other numbers finds out what was luck.
# - Find a silent mistake with an assertion of our own.
#
# The :doc:`mixed quiz </quiz_debugging>` asks for numbers from the whole level. The
# next one, Advanced, begins with :doc:`Custom Functions
# </lessons/4_advanced/10_custom_function>`: derivatives that we write ourselves.

# %%
# Credits and licences
# --------------------
#
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
