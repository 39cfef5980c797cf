import { expect } from 'chai';
import type { TrainerSpec } from '../../../operator/src/api/index.ts';
import { savedModelParts } from '../../../operator/src/domain/saved-model-pod.ts';

const model = (uri: string): TrainerSpec['model'] => ({ from: { uri } }) as unknown as TrainerSpec['model'];

describe('the saved model of a trainer pod', () => {
  it('is mounted read-only from its claim', () => {
    const { env, mounts, volumes } = savedModelParts(model('pvc://digits/model'));
    expect(volumes).to.deep.equal([{ name: 'saved-model', persistentVolumeClaim: { claimName: 'digits', readOnly: true } }]);
    expect(mounts).to.deep.equal([{ name: 'saved-model', mountPath: '/saved-model', readOnly: true }]);
    expect(env).to.deep.equal([{ name: 'ANNEAL_MODEL_DIRECTORY', value: '/saved-model' }]);
  });

  it('adds nothing where it is in the container, or there is none', () => {
    for (const none of [model('file:///models/digits'), undefined]) expect(savedModelParts(none)).to.deep.equal({ env: [], mounts: [], volumes: [] });
  });
});
