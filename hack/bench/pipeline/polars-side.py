"""The side of polars of `npm run bench -- pipeline`: read lazily, fitted and applied by expressions."""
import json
import sys
import time

import numpy as np
import polars as pl

job = json.loads(sys.argv[1])
target, excluded = 'bought', 'moment'


def peak_mib():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM')) / 1024


begin = time.perf_counter()
scan = pl.scan_csv(job['file']) if job['format'] == 'CSV' else pl.scan_parquet(job['file'])
frame = scan.drop(excluded).collect()
read_seconds = time.perf_counter() - begin

numeric = [name for name, kind in frame.schema.items() if kind.is_numeric() and name != target]
categorical = [name for name, kind in frame.schema.items() if kind == pl.String]
if 'parts' in job:
    numbers = np.zeros(len(frame), np.uint8)
    with open(job['parts']) as chosen:
        for number, rows in enumerate(json.load(chosen)):
            numbers[rows] = number
    frame = frame.with_columns(pl.Series('part', numbers))
else:
    # Each class is shuffled by itself and cut, as stratified splits are.
    place = pl.int_range(pl.len()).shuffle(seed=job['seed']).over(target) / pl.len().over(target)
    part = pl.when(place < job['test']).then(2).when(place < job['test'] + job['validation']).then(1).otherwise(0).cast(pl.UInt8)
    frame = frame.with_columns(part.alias('part'))

train = frame.lazy().filter(pl.col('part') == 0)
fills = train.select(
    *[pl.col(name).median() for name in numeric],
    *[pl.col(name).drop_nulls().mode().min() for name in categorical],
).collect().row(0, named=True)
filled = [pl.col(name).fill_null(fills[name]) for name in numeric + categorical]
fitted = train.with_columns(filled).select(
    *[pl.col(name).mean().alias(f'{name} mean') for name in numeric],
    *[pl.col(name).std(ddof=0).alias(f'{name} deviation') for name in numeric],
    *[pl.col(name).unique().sort().implode().alias(name) for name in categorical],
).collect().row(0, named=True)
features = [((pl.col(name) - fitted[f'{name} mean']) / fitted[f'{name} deviation']).cast(pl.Float32).alias(name) for name in numeric]
features += [(pl.col(name) == category).cast(pl.Float32).alias(f'{name}_{category}') for name in categorical for category in fitted[name]]
parts = [frame.lazy().filter(pl.col('part') == number).with_columns(filled).select(features).collect().to_numpy(order='c') for number in range(3)]
seconds = time.perf_counter() - begin

assert all(part.dtype == np.float32 for part in parts)
print(json.dumps({
    'seconds': seconds, 'readSeconds': read_seconds, 'peakMiB': peak_mib(), 'rows': [len(part) for part in parts],
    'features': numeric + [f'{name}_{category}' for name in categorical for category in fitted[name]],
    'means': [part.mean(axis=0, dtype=np.float64).tolist() for part in parts],
}))
