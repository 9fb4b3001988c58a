"""`python -m benchmarks`: all of them, each as one line."""

import torch

from benchmarks import batches, fitting, guarding, memory, pruning, viewing
from benchmarks.peers import __main__ as peers
from benchmarks.peers.doors import have_avalanche
from packnet_book.runs.provenance import provenance

made = provenance()
print(f"{made['processor']}, {made['threads']} threads, torch "
      f"{torch.__version__}, {made['date']}")  # fmt: skip
pruned, selected = pruning.run()
print("pruning VGG-16, time over pruning by torch.kthvalue:", pruned)
print("pruning VGG-16, time over torch.kthvalue alone:", selected)
print("guarded step of VGG-16, time over unguarded:", guarding.full())
print("guarded step of the miniature:", guarding.miniature())
alike, ready = fitting.run()
print("a phase by fit, time over a plain loop's, same batches:", alike)
print("a phase by fit, over a loop that finds its batches ready:", ready)
entered, forward = viewing.run()
print("entering a view of VGG-16, time over copying it:", entered)
print("a forward pass in a view, time over one outside:", forward)
print("adding a task to VGG-16, peak memory:", memory.run())
print("an epoch of pictures, time over ImageFolder's:", batches.run())
if have_avalanche():
    peers.main([])
else:
    print("beside its peers: left out, the extra `peers` is not installed")
