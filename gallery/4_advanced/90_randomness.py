r"""
Gradients through randomness
============================

A network throws a die, and we want to know how its mean result changes with the
weights. We learn two ways to differentiate a mean over draws, measure how far off each
one is, and see where the better one is wrong.

:Time: 35 minutes
:Needs: :doc:`Logistic and softmax regression
   </lessons/2_practice/30_logistic_and_softmax>`,
   :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`
:Level: Advanced
:Tags: derivatives, graph, training
"""

# sphinx_gallery_thumbnail_number = -1

# %%
# A number is drawn around 1.5, about half a unit to the left or to the right, and then
# squared. That is done many times, and we take the mean. Now we move the centre by a
# thousandth: by how much does the mean move? And how do we find out, if we can draw,
# and do not know more?

import torch
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# A mean that we know
# -------------------
#
# The draws are *normal*: their centre is ``mu``, and their typical distance from it,
# the *standard deviation*, is ``sigma``. These two are the weights here. Of the square
# of such a number the mean is known, and so we can check what follows.

mu = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
sigma = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
E = mu**2 + sigma**2
E

# %%
# With :math:`\mu = 1.5` and :math:`\sigma = 0.5`, the mean of the squares is
# :math:`E = \mu^2 + \sigma^2 = 2.5`. Its slopes are
# :math:`\frac{\partial E}{\partial \mu} = 2\mu = 3` and
# :math:`\frac{\partial E}{\partial \sigma} = 2\sigma = 1`. These two numbers we want to
# find from draws alone.
#
# PyTorch draws from a ``Normal``. Two hundred thousand times, with a seed:

torch.manual_seed(0)
N = 200_000
draws = Normal(mu, sigma).sample((N,))
(draws**2).mean()

# %%
# What a draw remembers
# ---------------------
#
# .. predict::
#
#    Can we call ``backward()`` on this mean?
#
#    .. answer::
#
#       No. A draw is a number like any other. ``sample()`` does not record how it was
#       made from ``mu``.
#
#       >>> try:
#       ...     (draws**2).mean().backward()
#       ... except RuntimeError as error:
#       ...     print(str(error).split(" and ")[0])
#       element 0 of tensors does not require grad

draws.requires_grad

# %%
# That is an honest answer. ``torch.normal`` draws, too, and gives another one.

z = torch.normal(mu, sigma)
z.requires_grad

# %%
# .. predict::
#
#    It does require a gradient. What are the slopes of ``z`` by ``mu`` and by
#    ``sigma``? Type two numbers.
#
#    .. ask:: silent
#
#    .. answer::
#
#       0 and 0, :math:`\text{silent} = (0, 0)`, and no error. This node has a rule, and
#       its rule is zero. A loss behind it trains nothing in front of it.
#
#       .. wrong:: [1, 0]
#
#          A shift of the centre shifts each draw: that is how it should be. The node of
#          ``torch.normal`` does not know it.
#
#       .. wrong:: [1, (z - mu) / sigma]
#
#          These are the right slopes, as we shall see. The node of ``torch.normal``
#          does not have them.

silent = torch.stack(torch.autograd.grad(z, [mu, sigma]))
silent

# %%
# ``torch.bernoulli``, which throws a coin, does the same:
#
# >>> p = torch.tensor(0.3, requires_grad=True)
# >>> torch.autograd.grad(torch.bernoulli(p), p)
# (tensor(0.),)

# %%
# Move the draws
# --------------
#
# The first way: draw something that depends on no weight, and make of it what we need.
# ``epsilon`` is drawn around 0 with the standard deviation 1. Stretched by ``sigma``
# and shifted by ``mu``, it is a draw of ours. Here are three, with round numbers.

epsilon = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
x = mu + sigma * epsilon
L = (x**2).mean()
x

# %%
# The three draws are :math:`x = \mu + \sigma \epsilon = (2, 0.5, 1.75)`. Each one moves
# with ``mu`` one to one, and with ``sigma`` as fast as its ``epsilon`` says. So there
# is a path from the weights to the loss.
#
# .. predict::
#
#    What arrives at ``mu`` and at ``sigma``, from the mean of the three squares?
#
#    .. ask:: [mu.grad, sigma.grad]
#
#    .. answer::
#
#       The mean of ``2x``, and the mean of ``2x`` times ``epsilon``:
#
#       .. math::
#
#          \frac{\partial L}{\partial \mu} &= \frac{2}{3} (2 + 0.5 + 1.75) = 2.8333 \\
#          \frac{\partial L}{\partial \sigma}
#          &= \frac{2}{3} (2 \cdot 1 - 0.5 \cdot 2 + 1.75 \cdot 0.5) = 1.25
#
#       .. wrong:: [3, 1]
#
#          This is the truth, which the mean over very many draws would come close to.
#          These are three.
#
#       .. wrong:: [17 / 6, 17 / 6]
#
#          ``sigma`` moves each draw by its own ``epsilon``, and the second one to the
#          other side.

mu.grad = sigma.grad = None
record_backward(L, locals())

# %%
# At :step:`x sends to mu` three numbers are added up. At :step:`#4 sends to sigma` each
# is multiplied by its ``epsilon`` first. Chance has become an input that has no
# gradient. This is called *reparameterisation*. Now with two
# hundred thousand draws:

torch.manual_seed(0)
epsilon = torch.randn(N, dtype=torch.float64)
x = mu + sigma * epsilon
by_path = torch.stack(torch.autograd.grad((x**2).mean(), [mu, sigma]))
by_path

# %%
# We get :math:`\text{by\_path} = (2.9988, 0.9970)`. The truth is 3 and 1. PyTorch
# calls these draws ``rsample``, with the ``r`` of *reparameterised*:
#
# >>> generator = torch.manual_seed(0)
# >>> torch.equal(Normal(mu, sigma).rsample((N,)), mu + sigma * epsilon)
# True
#
# Has each distribution an ``rsample``? No, and ``has_rsample`` says which. A choice
# between numbered things has none:
#
# >>> Normal.has_rsample, Categorical.has_rsample
# (True, False)
#
# A draw of ``Beta`` has no such line of code. Its gradient follows from the
# distribution function, and PyTorch 2.13.0 reads a part of it off a fitted formula. The
# digits of ``float64`` are then more than those that hold. With the parameters
# :math:`k` and 1 the true gradient is known, :math:`-x \ln x / k`. Relative to it, how
# far off is the worst of a thousand draws?
#
# >>> from torch.distributions import Beta
# >>> generator = torch.manual_seed(0)
# >>> k = torch.full((1000,), 8.0, dtype=torch.float64, requires_grad=True)
# >>> draws = Beta(k, 1.0).rsample()
# >>> by_rsample = torch.autograd.grad(draws.sum(), k)[0]
# >>> off = by_rsample / (-draws * draws.log() / k) - 1
# >>> round(off.abs().max().item(), 4)
# 0.0004
#
# And one draw forgets its parameter where many start, at one half. Five draws of
# ``ContinuousBernoulli``, from the same random number:
#
# >>> from torch.distributions import ContinuousBernoulli
# >>> def slope_of_draw(p):
# ...     generator = torch.manual_seed(0)
# ...     p = torch.tensor(p, dtype=torch.float64, requires_grad=True)
# ...     draw = ContinuousBernoulli(p).rsample()
# ...     return round(torch.autograd.grad(draw, p)[0].item(), 4)
# >>> [slope_of_draw(p) for p in (0.4989, 0.4991, 0.5, 0.5009, 0.5011)]
# [0.0583, 0.0, 0.0, 0.0, 0.0579]
#
# Within a thousandth of one half, the formula of the draw is nearly 0 by 0. PyTorch
# 2.13.0 takes the random number itself there. The draw is nearly right, and its slope
# is lost.

# %%
# Move how often they come
# ------------------------
#
# The second way does not touch the draws. If the centre moves to the right, large
# numbers come more often, and small ones less often. So we leave each result as it is,
# and change how much it counts. How fast, in proportion, does the probability of a draw
# grow with ``mu``? That is the slope of its logarithm, the *score
# function*, in short the score (not to be confused with that of a classifier):
#
# .. math::
#    :class: law
#
#    \frac{\partial \ln p(x)}{\partial \mu} = \frac{x - \mu}{\sigma^2}
#
# A draw at 2 has the score :math:`\frac{2 - \mu}{\sigma^2} = 2`, and at the centre the
# score is zero. In a mean, each result :law:`f(x)` is multiplied by its probability.
# The slope of a probability is the probability times the score, and the results stay:
#
# .. math::
#    :class: law
#
#    \frac{\partial}{\partial \mu} \sum_x p(x)\, f(x)
#    = \sum_x p(x)\, f(x)\, \frac{\partial \ln p(x)}{\partial \mu}
#
# So the slope of the mean is the mean of result times score. (For a normal draw the sum
# is an integral.) No derivative of the square is needed, so the result may come from
# anywhere: from a game, or from a user.

draws = x.detach()
log_p = Normal(mu, sigma).log_prob(draws)
by_score = torch.autograd.grad((draws**2 * log_p).mean(), mu)[0]
by_score

# %%
# We get :math:`\text{by\_score} = 2.9946`, also close to 3. The means agree. The single
# numbers whose means we have taken do not:

score = (draws - mu.detach()) / sigma.detach() ** 2
path_each = 2 * draws
score_each = draws**2 * score
spread = torch.stack([path_each.std(), score_each.std()])
spread

# %%
# The standard deviations are :math:`\text{spread} = (1.0003, 7.4589)`. A mean over
# ``n`` draws is off by about that, divided by the root of ``n``.
#
# .. predict::
#
#    How many times as many draws does the second way need to be as exact as the first?
#    Type a whole number.
#
#    .. ask:: times
#
#    .. answer::
#
#       :math:`\text{times} = 56`. The spread is more than seven times as large, and to
#       make a mean seven times better one needs the square of that.
#
#       .. wrong:: 7
#
#          This is the quotient of the spreads. But the error falls with the *root* of
#          the number of draws.
#
#       .. wrong:: 1
#
#          Both have the right mean. What differs is how far each draw is off.

times = (spread[1] / spread[0]).square().round()
times

# %%
# See it: forty estimates by each way, and a slider for how many draws each of them
# takes.
#
# .. predict::
#
#    With ten draws the first way has some spread. How many draws does the second way
#    need to be as narrow?
#
#    .. ask:: 10 * times
#
#    .. answer::
#
#       It needs :math:`56 \cdot 10 = 560`, between the fourth and the fifth position.
#
#       .. wrong:: 70
#
#          Seven times as many, for a spread seven times as large? The spread falls with
#          the *root* of the number of draws.

runs = torch.arange(40)
sizes = torch.tensor([10, 30, 100, 300, 1000, 3000])
moved_draws, moved_chances = (
    torch.stack([g[: 40 * n].view(40, n).mean(1) for n in sizes.tolist()])
    for g in (path_each, score_each)
)
plot = MovingPlot(
    {"draws": sizes},
    "Forty estimates of a slope",
    xlim=(0, 40),
    ylim=(-3, 9),
    xlabel="estimate",
    ylabel="slope",
)
plot.points(runs, moved_chances, "their chances move")
plot.points(runs, moved_draws, "the draws move")
plot.say("Where the draws move, the spread is {path:.2f},", path=moved_draws.std(1))
plot.say("where their chances move, {score:.2f}.", score=moved_chances.std(1))
plot

# %%
# Something to compare with
# -------------------------
#
# A square is positive, so each draw to the right says "more", and each one to the left
# says "less", loudly. What counts is whether a result is better than usual. So subtract
# a number from the results, the *baseline*. Here we take 2.25.

better_each = (draws**2 - 2.25) * score
with_baseline = torch.stack([better_each.mean(), better_each.std()])

# %%
# .. predict::
#
#    Does the mean of about 3 fall? And the spread? Type 1 for each that becomes smaller
#    by more than a tenth, and 0 for each that does not.
#
#    .. ask:: smaller
#
#    .. answer::
#
#       The mean stays and the spread falls, :math:`\text{smaller} = (0, 1)`: now they
#       are :math:`\text{with\_baseline} = (3.0001, 4.6764)`. Probabilities add up to 1,
#       whatever ``mu`` is, so the mean score is 0, and so is the mean of a fixed number
#       times the score.
#
#       >>> score.mean().abs() < 0.01
#       tensor(True)
#
#       .. wrong:: [1, 1]
#
#          We took something from each result, but we also multiply by the score, whose
#          mean is 0.
#
#       .. wrong:: [0, 0]
#
#          A shift changes no spread of the results. Here each is multiplied by a score,
#          and a large result makes each score loud.

smaller = (with_baseline < 0.9 * torch.stack([score_each.mean(), spread[1]])).double()
smaller

# %%
# Which number is best? For our square the variance, which is the spread squared, is
# known for each baseline ``b``:
#
# .. math::
#
#    v(b) = 4\,(2.25 - b)^2 + 6\,(2.25 - b) + 21.75
#
# It says :math:`v(0) = 55.5` without a baseline, and :math:`\sqrt{v(0)} = 7.4498`. With
# ours it is :math:`v(2.25) = 21.75`. The mean of the squares gives
# :math:`v(2.5) = 20.5`. The best one is 3, where :math:`v'(3) = 0` and
# :math:`v(3) = 19.5`: *not* the mean. Far draws have large scores, and count more.
#
# >>> [round(((draws**2 - b) * score).std().item(), 1) for b in (0, 2.25, 2.5, 3)]
# [7.5, 4.7, 4.5, 4.4]
#
# A mean that we do not know has to come from draws. What if we take those at hand?
#
# .. admonition:: Wrong on purpose
#
#    The next cell subtracts the mean of a batch from the results of the same batch. Do
#    not copy it.

# wrong on purpose
f = (draws**2).view(-1, 2)
pair_score = score.view(-1, 2)
own = ((f - f.mean(1, keepdim=True)) * pair_score).mean()

# %%
# .. predict::
#
#    Batches of *two* draws, a hundred thousand of them. Which slope do we find in their
#    mean, rounded to halves?
#
#    .. ask:: halves
#
#    .. answer::
#
#       It is :math:`\text{halves} = \frac{3}{2} = 1.5`, half of the truth. The baseline
#       contains the draw itself, so it is no fixed number for it. With ``n`` draws a
#       share of one in ``n`` is lost, with four a fourth. With several weights each
#       loses the same share, so the gradient becomes shorter and does not turn.
#
#       >>> f4, score4 = (draws**2).view(-1, 4), score.view(-1, 4)
#       >>> ((f4 - f4.mean(1, keepdim=True)) * score4).mean() / (f4 * score4).mean()
#       tensor(0.75, dtype=torch.float64)
#
#       .. wrong:: 3
#
#          So it would be with a baseline that does not know the draw.
#
#       .. wrong:: 0
#
#          The two differences cancel. But each is multiplied by its own score first.

halves = (2 * own).round() / 2
own

# %%
# The mean of the *other* results does not know the draw, and nothing is lost:
#
# >>> others = (f.sum(1, keepdim=True) - f) / (f.shape[1] - 1)
# >>> ((f - others) * pair_score).mean().round()
# tensor(3., dtype=torch.float64)

# %%
# Where the better way is wrong
# -----------------------------
#
# For the square, moving the draws has the smaller spread. Not so for a result that is
# steep nearly everywhere, such as a quick wave:
#
# >>> wave = torch.sin(20 * draws)
# >>> (20 * torch.cos(20 * draws)).std(), (wave * score).std()
# (tensor(14.146, dtype=torch.float64), tensor(1.416, dtype=torch.float64))
#
# And it can be wrong. Here the result is the draw itself if it is above 2, else 0. Its
# mean is known, too, from the area and the height of the bell curve:

a = (2 - mu) / sigma
unit = Normal(torch.zeros_like(a), 1)
tail = mu * (1 - unit.cdf(a)) + sigma * unit.log_prob(a).exp()
[truth] = torch.autograd.grad(tail, mu)
truth

# %%
# .. admonition:: Wrong on purpose
#
#    The gradient of the next cell is no gradient of the mean. Do not copy it.

# wrong on purpose
above = torch.where(x > 2, x, 0.0).mean()
[moved] = torch.autograd.grad(above, mu)
share = (x > 2).double().mean()

# %%
# .. predict::
#
#    The true slope is :math:`\text{truth} = 1.1265`, and the share of draws above 2 is
#    :math:`\text{share} = 0.15855`. What does autograd find, when the draws move?
#
#    .. ask:: moved
#
#    .. answer::
#
#       Not the truth, but the share of draws above 2, :math:`\text{moved} = 0.15855`.
#       Each of these moves one to one. What is missing is that new draws
#       *jump* over the border, and bring 2 with them. A draw that stands on the border
#       itself does not come up, so no slope knows of it. There is no error.
#
#       .. wrong:: truth
#
#          This would be right for a result without a jump.
#
#       .. wrong:: 1
#
#          This is the slope of a draw above the border. The others have the slope 0.

moved

# %%
# The score does not ask for the slope of the result, so a jump is nothing special:
#
# >>> results = torch.where(x > 2, x, 0.0).detach()
# >>> (results * score).mean()
# tensor(1.1254, dtype=torch.float64)
#
# A kink, as in ``relu``, does no harm here: the result does not jump. Its slope does,
# so the *second* derivative is wrong again, and without an error:
#
# >>> [first] = torch.autograd.grad(F.relu(x - 2).mean(), mu, create_graph=True)
# >>> first.detach(), (1 - unit.cdf(a)).detach()
# (tensor(0.1586, dtype=torch.float64), tensor(0.1587, dtype=torch.float64))
# >>> torch.autograd.grad(first, mu)[0], (unit.log_prob(a).exp() / sigma).detach()
# (tensor(0., dtype=torch.float64), tensor(0.4839, dtype=torch.float64))

# %%
# A choice
# --------
#
# Two slot machines. One pays 1, the other pays 2, and the player does not know that. A
# *policy* chooses between them, with a softmax of two logits, and at first it has no
# idea.

h = torch.zeros(2, dtype=torch.float64, requires_grad=True)
p = torch.softmax(h, dim=0)
R = torch.tensor([1.0, 2.0], dtype=torch.float64)
reward = p @ R

# %%
# The mean reward is :math:`\text{reward} = p^\top R = 1.5`, and its gradient says what
# it should: :math:`\nabla_h\, \text{reward} = p \odot (R - p^\top R) = (-0.25, 0.25)`.
# A player who does not know ``R`` has to choose. The score of a choice is the gradient
# of the logarithm of its probability, a unit vector minus ``p``. The mean of reward
# times score is the *policy gradient*:

torch.manual_seed(0)
choice = Categorical(logits=h).sample((N,))


def gradients(baseline):
    """Return the gradient of each choice, shape (N, 2)."""
    return (R[choice] - baseline)[:, None] * (F.one_hot(choice, 2) - p.detach())


# %%
# .. predict::
#
#    With the baseline 0, the gradient of the first logit has a standard deviation of
#    three quarters. What is it with the mean reward as baseline?
#
#    .. ask:: spreads[1]
#
#    .. answer::
#
#       It is 0, :math:`\text{spreads} = (0.75, 0, 4.25)`. Whoever chose the poor
#       machine is told to choose it less, whoever chose the rich one is told to choose
#       it more. With two machines that are equally likely, these are the same numbers.
#       The last spread is that of the baseline 10, which is worse than none.
#
#       .. wrong:: 0.75
#
#          A baseline leaves the mean of the gradients as it is, and not their spread.
#
#       .. wrong:: 0.25
#
#          This is the size of the gradient. It is the same for each choice.

spreads = torch.stack([gradients(b)[:, 0].std() for b in (0.0, 1.5, 10.0)])
spreads

# %%
# The means are those of the exact gradient, up to chance, and with this baseline
# without any:
#
# >>> gradients(0.0).mean(0)
# tensor([-0.2501,  0.2501], dtype=torch.float64)
# >>> gradients(1.5).mean(0)
# tensor([-0.2500,  0.2500], dtype=torch.float64)
#
# Once one machine is more likely, chance is back. This is what each of the two choices
# says then of the first logit, with the mean reward as baseline:
#
# >>> q = torch.tensor([0.9, 0.1], dtype=torch.float64)
# >>> (R - q @ R) * (F.one_hot(torch.arange(2))[:, 0] - q[0])
# tensor([-0.0100, -0.8100], dtype=torch.float64)
#
# An optimiser goes down, so in code one writes a loss whose gradient is minus this one:
# the mean of :law:`-\ln p \cdot (R - b)`, with the probability ``p`` of the choice, its
# reward ``R`` and the baseline ``b``. A baseline is often learned. It should not get a
# gradient from this loss.
#
# .. admonition:: Wrong on purpose
#
#    In the next cell the baseline ``b`` is not detached. Do not copy it.

# wrong on purpose
b = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
log_p = Categorical(logits=h).log_prob(choice)
loss = -(log_p * (R[choice] - b)).mean()

# %%
# .. predict::
#
#    ``b`` is the mean reward already. Which gradient does it get?
#
#    .. ask:: b.grad
#
#    .. answer::
#
#       The mean logarithm of the probabilities,
#       :math:`\frac{\partial \text{loss}}{\partial b} = \ln \frac{1}{2} = -0.6931`. No
#       reward is in it. Gradient descent makes ``b`` larger from step to step. Detach
#       it here, and teach it with a loss of its own, such as the squared difference.
#
#       .. wrong:: 0
#
#          A mean reward is where the *squared* difference has the slope 0. This loss
#          does not know that ``b`` is to be a mean.

loss.backward()
b.grad

# %%
# What grows, and what does not
# -----------------------------
#
# The spread of the second way grows with what does not depend on the weight that we ask
# for. Here the result is a sum of squares of ``d`` draws, each with its own centre,
# and we ask for the first centre alone: by moving the draws, by the score, and by the
# score with the mean result as baseline.


def spreads_of(d):
    torch.manual_seed(0)
    noise = torch.randn(20_000, d, dtype=torch.float64)
    many = 1.5 + 0.5 * noise
    total, first_score = (many**2).sum(1), noise[:, 0] / 0.5
    by_score = [(total - baseline) * first_score for baseline in (0, 2.5 * d)]
    return torch.stack([g.std() for g in (2 * many[:, 0], *by_score)])


grown = torch.stack([spreads_of(d) for d in (1, 10, 100)]).round()
grown

# %%
# The first column stays, the second one grows about as fast as ``d``, and the third one
# about as fast as the root of ``d``:
#
# .. math::
#
#    \text{grown}
#    = \begin{pmatrix} 1 & 7 & 5 \\ 1 & 52 & 10 \\ 1 & 500 & 31 \end{pmatrix}
#
# Without a baseline it also grows when the draws come closer to the centre, where one
# would expect less chance. With our baseline from above it hardly changes. The spread
# of the first way falls:
#
# >>> def spreads_at(s):
# ...     near, near_score = 1.5 + s * epsilon, epsilon / s
# ...     ways = 2 * near, near**2 * near_score, (near**2 - 2.25) * near_score
# ...     return [round(g.std().item(), 2) for g in ways]
# >>> spreads_at(0.5), spreads_at(0.1), spreads_at(0.01)
# ([1.0, 7.46, 4.68], [0.2, 23.2, 4.27], [0.02, 225.14, 4.26])

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Why has ``Bernoulli`` no ``rsample``? Find the gradient of the mean of
#    :law:`(b - 0.45)^2` by ``p`` at :law:`p = 0.3`, where ``b`` is 1 with probability
#    ``p``, else 0.
#
#    .. answer::
#
#       A coin jumps from 0 to 1, and no path leads from ``p`` to it. With two outcomes
#       there is no need to draw: weigh both. That is exact, and its spread is 0.
#
#       >>> from torch.distributions import Bernoulli
#       >>> Bernoulli(0.3).has_rsample
#       False
#       >>> chance = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
#       >>> weighed = chance * (1 - 0.45) ** 2 + (1 - chance) * (0 - 0.45) ** 2
#       >>> torch.autograd.grad(weighed, chance)
#       (tensor(0.1000, dtype=torch.float64),)
#
# .. exercise::
#
#    The same with 200,000 draws and the score. What is the spread of the single
#    products of result and score?
#
#    .. answer::
#
#       About six times as large as the slope itself.
#
#       >>> from torch.distributions import Bernoulli
#       >>> generator = torch.manual_seed(0)
#       >>> coin = Bernoulli(chance).sample((N,))
#       >>> losses = (coin - 0.45) ** 2
#       >>> log_p = Bernoulli(chance).log_prob(coin)
#       >>> torch.autograd.grad((losses * log_p).mean(), chance)
#       (tensor(0.0999, dtype=torch.float64),)
#       >>> (losses * (coin - 0.3) / (0.3 * 0.7)).std()
#       tensor(0.5946, dtype=torch.float64)
#
# .. exercise::
#
#    Use each ``epsilon`` twice, with both signs, and take the mean of the two slopes
#    ``2 * x``. What is its spread, and why?
#
#    .. answer::
#
#       It is 0: the slope is a straight line in ``epsilon``, so what one sign adds the
#       other takes away. These are *antithetic* draws. The score gains less.
#
#       >>> def pair(g):
#       ...     return (g(epsilon) + g(-epsilon)) / 2
#       >>> pair(lambda e: 2 * (1.5 + 0.5 * e)).std() < 1e-12
#       tensor(True)
#       >>> pair(lambda e: (1.5 + 0.5 * e) ** 2 * e / 0.5).std() > 4
#       tensor(True)
#
# .. exercise::
#
#    *Spot the error.* "The loss of my policy falls from 1 to 0, so it learns."
#
#    .. answer::
#
#       This loss is made so that its *gradient* is right. Its value says nothing: a
#       baseline changes it, and leaves the mean gradient as it is. Look at the mean
#       reward.
#
#       >>> log_p = Categorical(logits=h.detach()).log_prob(choice)
#       >>> [-(log_p * (R[choice] - baseline)).mean().item() for baseline in (0, 1.5)]
#       [1.04, 0.00]

# %%
# What we can do now
# ------------------
#
# - Tell a draw that has a path to its weights from one that has none.
# - Differentiate a mean over draws in two ways, and measure the spread of each.
# - Choose a baseline, and keep it from knowing the draw.
# - See a jump before it falsifies a slope.
#
# This completes the level Advanced; :doc:`a mixed quiz </quiz_advanced>` asks what is
# left of it. The last one, Capstones, begins with :doc:`An engine of our own
# </lessons/5_capstones/10_engine>`, which walks back as PyTorch does.

# %%
# Credits and licences
# --------------------
#
# The second way is from R. J. Williams, `Simple statistical gradient-following
# algorithms <https://doi.org/10.1007/BF00992696>`__, and the first one is best known
# from `Auto-encoding variational Bayes <https://arxiv.org/abs/1312.6114>`__. Both are
# compared in `Monte Carlo gradient estimation in machine learning
# <https://arxiv.org/abs/1906.10652>`__. The coin of the exercise is an example of
# `REBAR <https://arxiv.org/abs/1703.07370>`__. What ``rsample`` promises says
# `PyTorch's documentation <https://docs.pytorch.org/docs/stable/distributions.html>`__.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
