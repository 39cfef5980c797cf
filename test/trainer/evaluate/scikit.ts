/** scikit-learn's word on predictions. What it does not define is null. */

export const classificationProgram = `
import json, sys, warnings
import numpy as np
from sklearn import metrics as m
warnings.simplefilter('ignore')

def defined(value):
    return None if value is None or not np.isfinite(value) else float(value)

def one(case):
    y, p, w, C = np.array(case['truth']), np.array(case['probabilities'], dtype=np.float64), case['weights'], case['classes']
    k = dict(sample_weight=None if w is None else np.array(w))
    labels = list(range(C))
    predicted = p.argmax(axis=1)
    places = [1] if C == 2 else labels
    def mean_over(of):
        values = [of((y == c).astype(int), p[:, c]) for c in places]
        values = [v for v in values if v is not None]
        return np.mean(values) if values else None
    def auc(t, s):
        return m.roc_auc_score(t, s, **k) if 0 < t.sum() < len(t) else None
    def ap(t, s):
        return m.average_precision_score(t, s, **k) if t.sum() > 0 else None
    def recall_at(share):
        def of(t, s):
            if t.sum() == 0: return None
            precision, recall, _ = m.precision_recall_curve(t, s, **k)
            return recall[precision >= share].max()
        return of
    def precision_at(share):
        def of(t, s):
            if t.sum() == 0: return None
            precision, recall, _ = m.precision_recall_curve(t, s, **k)
            return precision[recall >= share].max()
        return of
    macro = dict(average='macro', zero_division=0, **k)
    clipped = np.clip(p, 2.0 ** -23, 1 - 2.0 ** -23)
    event, score = ((y == 1), p[:, 1]) if C == 2 else ((y == predicted), p.max(axis=1))
    weights = np.ones(len(y)) if w is None else np.array(w)
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
    gaps = [abs((weights * (event * 1.0 - score))[bins == b].sum()) for b in range(10)]
    each = m.precision_recall_fscore_support(y, predicted, labels=labels, zero_division=0, **k)
    return {
        'accuracy': defined(m.accuracy_score(y, predicted, **k)),
        'balancedAccuracy': defined(m.balanced_accuracy_score(y, predicted, **k)),
        'precision': defined(m.precision_score(y, predicted, **macro)),
        'recall': defined(m.recall_score(y, predicted, **macro)),
        'f1': defined(m.f1_score(y, predicted, **macro)),
        'mcc': defined(m.matthews_corrcoef(y, predicted, **k)),
        'cohenKappa': defined(m.cohen_kappa_score(y, predicted, **k)),
        'rocAuc': defined(mean_over(auc)),
        'prAuc': defined(mean_over(ap)),
        'logLoss': defined(m.log_loss(y, clipped, labels=labels, **k)),
        'logLoss32': defined(m.log_loss(y, p.astype(np.float32), labels=labels, **k)),
        'brier': defined(m.brier_score_loss(y, p, labels=labels, **k)),
        'calibrationError': defined(sum(gaps) / weights.sum()),
        'recallAtPrecision90': defined(mean_over(recall_at(0.9))),
        'recallAtPrecision60': defined(mean_over(recall_at(0.6))),
        'precisionAtRecall80': defined(mean_over(precision_at(0.8))),
        'each': [list(map(float, values)) for values in each],
    }

json.dump([one(case) for case in json.load(sys.stdin)], sys.stdout)
`;

export const regressionProgram = `
import json, sys, warnings
import numpy as np
from sklearn import metrics as m
warnings.simplefilter('ignore')

def one(case):
    y, p, w = np.array(case['truth']), np.array(case['predicted']), case['weights']
    k = dict(sample_weight=None if w is None else np.array(w))
    values = {
        'mae': m.mean_absolute_error(y, p, **k),
        'mse': m.mean_squared_error(y, p, **k),
        'rmse': m.root_mean_squared_error(y, p, **k),
        'r2': m.r2_score(y, p, **k),
        'medianAbsoluteError': m.median_absolute_error(y, p, **k),
        'mape': m.mean_absolute_percentage_error(y, p, **k),
        'explainedVariance': m.explained_variance_score(y, p, **k) if len(y) > 1 else None,
    }
    return {name: None if value is None or not np.isfinite(value) else float(value) for name, value in values.items()}

json.dump([one(case) for case in json.load(sys.stdin)], sys.stdout)
`;
