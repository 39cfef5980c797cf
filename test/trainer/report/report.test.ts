import { expect } from 'chai';
import fc from 'fast-check';
import { logarithmic, names, numbers } from '../../../trainer-image/src/report/axes.ts';
import { element, escaped, short } from '../../../trainer-image/src/report/markup.ts';
import { page, readable } from '../../../trainer-image/src/report/page.ts';
import { fitted, widthOf } from '../../../trainer-image/src/report/style.ts';

describe('markup', () => {
  it('escapes what is not an element', () => {
    expect(element('p', { title: 'a "b" & c' }, '<i>', element('b', {}, '&')).markup).to.equal('<p title="a &quot;b&quot; &amp; c">&lt;i&gt;<b>&amp;</b></p>');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escaped(text)).not.to.match(/[<>"'\u0000-\u0008\ud800-\udbff](?![\udc00-\udfff])/);
    }));
  });

  it('replaces what XML cannot hold', () => {
    expect(escaped('a\u0000b\ud800c\uffff\t')).to.equal('a\ufffdb\ufffdc\ufffd\t');
  });

  it('writes numbers short, and refuses those that are none', () => {
    expect([1, 1.239, -0.001, 100].map(short)).to.deep.equal(['1', '1.24', '0', '100']);
    expect(() => short(NaN)).to.throw('no place');
  });
});

describe('a fitted text', () => {
  it('fits, and is whole where it can be', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 30, max: 200 }), (text, width) => {
      const shown = fitted(text, width);
      expect(shown.isWellFormed()).to.be.true;
      if (widthOf(text) <= width) expect(shown).to.equal(text);
      else expect(widthOf(shown)).to.be.at.most(width);
    }));
  });
});

describe('an axis', () => {
  it('has round ticks in order within it', () => {
    fc.assert(fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }), fc.boolean(), (low, extent, exact) => {
      const { ticks, place } = numbers('x', [low, low + extent], { exact });
      for (const [at, tick] of ticks.entries()) {
        expect(tick.at).to.be.within(-1e-9, 1 + 1e-9);
        if (at > 0) expect(tick.at).to.be.greaterThan(ticks[at - 1]?.at ?? NaN);
      }
      expect(place(low)).to.be.within(-1e-9, 1 + 1e-9);
    }));
  });

  it('reads like its values', () => {
    const labels = ({ ticks }: { ticks: readonly { label: string }[] }): string[] => ticks.map(({ label }) => label);
    expect(labels(numbers('share', [0, 1], { percent: true }))).to.deep.equal(['0%', '20%', '40%', '60%', '80%', '100%']);
    expect(labels(numbers('epoch', [1, 3], { whole: true, exact: true }))).to.deep.equal(['1', '2', '3']);
    expect(labels(numbers('price', [0, 500_000]))).to.deep.equal(['0', '100k', '200k', '300k', '400k', '500k']);
    expect(labels(logarithmic('loss', [0.01, 10]))).to.include.members(['0.01', '0.1', '1', '10']);
    expect(names('class', ['a', 'b']).ticks).to.deep.equal([{ at: 0.25, label: 'a' }, { at: 0.75, label: 'b' }]);
  });
});

describe('a page', () => {
  it('escapes titles, texts and tables', () => {
    const html = page('<1>', [{ title: '<2>', blocks: [{ kind: 'Text', text: '<3>' }, { kind: 'Table', head: ['<4>', 'n'], rows: [['<5>', 0.123456], ['', 7]] }] }]);
    expect(html).not.to.match(/<\d>/);
    for (const words of ['&lt;1&gt;', '&lt;2&gt;', '&lt;3&gt;', '&lt;4&gt;', '&lt;5&gt;', '<td class="number">0.1235</td>', '<td class="number">7</td>', 'default-src &#39;none&#39;']) expect(html).to.include(words);
  });

  it('writes numbers as a person reads them', () => {
    expect([0.98765, 12, 1234.567, 0.00001234, 1e9 + 0.5, -0.25, 1.5].map(readable)).to.deep.equal(['0.9877', '12', '1234.6', '0.00001234', '1.000e+9', '-0.2500', '1.500']);
  });
});
