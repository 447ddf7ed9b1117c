"""Ground truth: constructed singular models, one family a file, each with a symbolic and a torch face."""

from ddtheory.cells.cell import Cell as Cell
from ddtheory.cells.exponential_curve import exponential_curve as exponential_curve
from ddtheory.cells.mean_map import gaussian_location as gaussian_location
from ddtheory.cells.mean_map import mean_map as mean_map
from ddtheory.cells.mixture import mixture_problem as mixture_problem
from ddtheory.cells.node_death import node_death as node_death
