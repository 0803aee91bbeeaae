"""Writes pytorch-golden.json beside this file; needs torch and safetensors.

    CASCADE_GOLDEN_WEIGHTS=/tmp/w.safetensors npm run test:unit -- test/experiments/export/pytorch-weights.test.ts
    python test/experiments/export/pytorch-golden.py /tmp/w.safetensors
"""

import hashlib
import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[2] / "docs"))
from pytorch_resnet import cascade_logits, plain_resnet  # noqa: E402

path = sys.argv[1]
pixels = torch.tensor([(k * 37 + 11 * (k // 50)) % 256 for k in range(2 * 8 * 8 * 3)], dtype=torch.float32)
images = pixels.view(2, 8, 8, 3).permute(0, 3, 1, 2)
with torch.no_grad():
    golden = {
        "weights": hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest(),
        "torch": torch.__version__,
        "plain": plain_resnet(path)(images).tolist(),
        "cascade": cascade_logits(path, images).tolist(),
    }
(here / "pytorch-golden.json").write_text(json.dumps(golden, indent=1) + "\n")
