import { expect } from 'chai';
import { codeOf } from '../../support.ts';
import { expectClose, science } from '../parity.ts';
import { number, tableOf, time } from '../tables.ts';
import { run } from './support.ts';

const parts = ['Year', 'Month', 'Day', 'DayOfWeek', 'Hour', 'Minute', 'DayOfYear', 'Week', 'IsWeekend', 'EpochDays'];

describe('the parts of a moment', function () {
  this.timeout(120_000);

  it('are those that pandas gives', async () => {
    const moments = Array.from({ length: 3000 }, (_, row) => Math.round((row - 1500) * 1.7e12 + row * 12_345_678));
    const done = await run(tableOf({ kind: 'Time', name: 't', values: Float64Array.from(moments) }), { dates: { parts, cyclic: false } });
    const expected = await science<Record<string, number[]>>(`
import pandas as pd
t = pd.Series(np.array(given, dtype="int64")).astype("datetime64[us]").dt
answer({"year": t.year, "month": t.month, "day": t.day, "day_of_week": t.dayofweek, "hour": t.hour, "minute": t.minute, "day_of_year": t.dayofyear,
  "week": t.isocalendar().week, "is_weekend": (t.dayofweek >= 5).astype(int), "epoch_days": np.array(given) / 86400e6} | {})`.replace('answer({', 'answer({k: np.asarray(v) for k, v in {').replace('} | {})', '}.items()})'), moments);
    expect(Object.keys(done)).to.deep.equal(Object.keys(expected).map((name) => `t_${name}`));
    for (const [name, values] of Object.entries(expected)) expectClose(done[`t_${name}`] as number[], values, name, 1e-9, 1e-15);
  });

  it('are points on a circle where they come round again', async () => {
    const done = await run(tableOf(time('t', '2026-01-01', '2026-07-01T06:00:00Z', null)), { dates: { parts: ['Month', 'Hour', 'Year'], cyclic: true } });
    expect(Object.keys(done)).to.deep.equal(['t_month_sin', 't_month_cos', 't_hour_sin', 't_hour_cos', 't_year']);
    expectClose(done.t_month_cos as number[], [1, -1, NaN], 'months half a year apart', 1);
    expectClose(done.t_hour_sin as number[], [0, 1, NaN], 'a quarter of a day', 1);
    expect(done.t_year).to.deep.equal([2026, 2026, NaN]);
  });

  it('are only of times', async () => {
    expect(await codeOf(() => run(tableOf(number('n', 1)), { dates: { columns: ['n'], parts, cyclic: false } }))).to.include({ code: 'SPEC_COLUMN_KIND' });
  });
});
