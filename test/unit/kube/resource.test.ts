import { expect } from 'chai';
import { collectionPath, compareResourceVersions, keyString, objectPath, parseKey } from '../../../operator/src/kube/resource.ts';
import type { ResourceType } from '../../../operator/src/kube/resource.ts';

const pods: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const nodePools: ResourceType = { group: 'karpenter.sh', version: 'v1', kind: 'NodePool', plural: 'nodepools', namespaced: false };

describe('a resource path', () => {
  for (const [path, expected] of [
    [collectionPath(pods), '/api/v1/pods'],
    [collectionPath(pods, 'team-a'), '/api/v1/namespaces/team-a/pods'],
    [objectPath(pods, { namespace: 'team-a', name: 'x' }, 'eviction'), '/api/v1/namespaces/team-a/pods/x/eviction'],
    [objectPath(nodePools, { namespace: '', name: 'spot' }, 'status'), '/apis/karpenter.sh/v1/nodepools/spot/status'],
    [collectionPath(nodePools, 'ignored'), '/apis/karpenter.sh/v1/nodepools'],
  ] as const) {
    it(`is ${expected}`, () => expect(path).to.equal(expected));
  }
});

describe('an object key', () => {
  for (const text of ['team-a/digits', 'spot']) it(`survives its text form "${text}"`, () => expect(keyString(parseKey(text))).to.equal(text));
});

describe('resource versions', () => {
  it('compare as numbers of any length', () => {
    expect(compareResourceVersions('9', '10')).to.be.below(0);
    expect(compareResourceVersions('99999999999999999999', '99999999999999999998')).to.be.above(0);
    expect(compareResourceVersions('42', '42')).to.equal(0);
  });
});
