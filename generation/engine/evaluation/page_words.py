"""What `docs/evaluation.md` says about its own making."""

HOW = """## How it was measured

**What is asked.** For each held-out person: the body that a clinician would enter (height, mass, thigh and shank
lengths of the fitted model; sex and age are not told, mass is 24 kg/m2 of the height except where a source tells it:
ours, E).
For natural squats nothing is limited beyond what is built in; what is asked of every baseline is asked here too: tempo
and depth (knee flexion, 6 degrees to either side) of a training person's squat, slowed to the built-in 2 s where it is
faster. *No depth asked* leaves the depth to the generator, which stays within what its loads are trusted for: less deep
than these people squat. What is compared are the written `.mot` files of accepted candidates, read by a reader of the
evaluation's own.

**One repetition.** Of every motion, recorded or made: from the last frame before the descent in which the pelvis has
sunk by less than 5 % of its way to the first such frame after the ascent (E).

**Fidelity** as published and as the released code computes it: all samples, frames and coordinates are thrown together,
and two means and two standard deviations are compared, (mean - mean)^2 + (deviation - deviation)^2, in degrees and
metres, over 196 frames at 60 Hz, shorter repetitions repeated. *By place* keeps frames and coordinates apart and
averages the same formula over them: the one number as published can be zero for sets that have little in common. *In
phase* takes 128 samples with the lowest pelvis in the middle instead of repeating. The coordinates are the 21 of legs,
pelvis and trunk; arms are left out because the recordings hold them by instruction; *all 33* has them too.

**Diversity**: entropy (nats) of a 10-bin histogram of each flattened sample (the same 196 frames), mean over samples.

**Penetration, floating, sliding** from joint centres; the ground is the median over frames and samples of the lowest
joint centre's height. People of different feet share one ground, as published; so a set with flat feet does not reach
zero. **Sliding**: speed of the joint centre that is lowest. **Pelvis tilt** where the vastus medialis is most active
(mean of both sides; fast route on the person's own body; 8 motions of each person and set). **Asymmetry, omega, COM
speed and acceleration** as published: the "centre of mass" is the pelvis. Differences over time are not taken across
the seam of two repeats.

**Activation windows**: the vastus medialis's peak is asked into 0.15-0.25, 0.25-0.35 and 0.35-0.45 on both sides,
each on another person; the violation is max(0, x - high, low - x), judged on the delivered files by OpenSim's static
optimisation at 20 Hz with the project's ground reaction and reserves.

**Baselines** see the training people only, are asked for the same tempo and body and, knowing no natural depth, for the
depth of the same training squat. *Nearest training squat*, *linear blend* of two and *PCA + Gaussian mixture* (16
components, 4 Gaussians) stand in a training person's pose and get the generator's planted feet and arms. *Unguided
VQ-VAE*: decoded codes, each drawn as often as training squats use it at that step; nothing is planted, as published.
*Published guidance*: the published terms, weights, schedule and batch on our own VQ-VAE, one batch for each activation
window; `published_guidance.py` lists what had to differ.

**Random profiles**: `random_profiles.py`. 40 bodies; each profile has a witness, a real squat placed on that body that
keeps all of its limits with slack. **Broken limits** are looked for in the files: joint angles column by column, the
rest by the fast route in double precision; a random 30 files by OpenSim on the delivered model.

**Realism**: two judges (penalised logistic regression; a Gaussian kernel), angles of legs, pelvis and trunk at 16
samples of the phase, after one low-pass for all, cross-validated by person. *From standing* subtracts the first pose.
*Planted* compares with the same recordings put on flat feet on the profile's body, as every generated squat is: what is
left there is the movement itself. The interval comes from drawing squats again, not people."""

LIMITS = """## What this does not show

- Four held-out people, all healthy and mostly young: a difference between two figures that is smaller than that between
  training and held-out people means little.
- Arms are not compared. Nothing here was tried by a patient.
- The recordings are inverse kinematics of markers: their feet roll by some degrees and slide by some millimetres, which
  planted motions do not, and a judge sees it.
- Published figures come from other people, another body model and a surrogate as judge: the columns share definitions,
  not data."""
