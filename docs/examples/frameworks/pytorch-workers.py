"""A linear regression on all processes that torchrun started: every step averages the gradients of their batches."""
import json
import os

import torch
import torch.distributed as dist

STEPS = 100

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(rank)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for _ in range(STEPS):
    # Other examples in each process: y = 3a - 2b + 1.
    features = torch.randn(32, 2)
    labels = features @ torch.tensor([[3.0], [-2.0]]) + 1.0
    loss = torch.nn.functional.mse_loss(model(features), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

print(json.dumps({
    "rank": rank,
    "world": dist.get_world_size(),
    "node": int(os.environ["GROUP_RANK"]),
    "loss": loss.item(),
    "weights": [value for parameter in model.parameters() for value in parameter.flatten().tolist()],
}), flush=True)
dist.destroy_process_group()
