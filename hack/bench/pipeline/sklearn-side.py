"""The side of pandas and scikit-learn of `npm run bench -- pipeline`: their own ways of doing each step, and nothing more."""
import json
import sys
import time

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

job = json.loads(sys.argv[1])
target, excluded = 'bought', 'moment'


def peak_mib():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM')) / 1024


begin = time.perf_counter()
used = lambda name: name != excluded
if job['format'] == 'CSV':
    frame = pd.read_csv(job['file'], usecols=used)
else:
    import pyarrow.parquet
    frame = pd.read_parquet(job['file'], columns=[name for name in pyarrow.parquet.read_schema(job['file']).names if used(name)])
read_seconds = time.perf_counter() - begin

labels = frame.pop(target)
if 'parts' in job:
    with open(job['parts']) as chosen:
        train, validation, test = (frame.iloc[rows] for rows in json.load(chosen))
else:
    held_back = job['validation'] + job['test']
    train, rest, _, rest_labels = train_test_split(frame, labels, test_size=held_back, stratify=labels, random_state=job['seed'])
    del frame
    validation, test = train_test_split(rest, test_size=job['test'] / held_back, stratify=rest_labels, random_state=job['seed'])
    del rest

numeric = list(train.select_dtypes('number').columns)
categorical = [name for name in train.columns if name not in numeric]
# Cast before they are put together, so that no float64 matrix of the whole width is ever made.
to_float32 = FunctionTransformer(lambda values: values.astype(np.float32), feature_names_out='one-to-one')
transformer = ColumnTransformer([
    ('number', make_pipeline(SimpleImputer(strategy='median'), StandardScaler(copy=False), to_float32), numeric),
    ('category', make_pipeline(SimpleImputer(strategy='most_frequent'), OneHotEncoder(sparse_output=False, dtype=np.float32, handle_unknown='ignore')), categorical),
], sparse_threshold=0, verbose_feature_names_out=False)
parts = [transformer.fit_transform(train)]
del train
parts += [transformer.transform(part) for part in (validation, test)]
seconds = time.perf_counter() - begin

assert all(part.dtype == np.float32 for part in parts)
print(json.dumps({
    'seconds': seconds, 'readSeconds': read_seconds, 'peakMiB': peak_mib(), 'rows': [len(part) for part in parts],
    'features': list(transformer.get_feature_names_out()), 'means': [part.mean(axis=0, dtype=np.float64).tolist() for part in parts],
}))
