import { expect } from 'chai';
import type { TrainerSpec } from '../../../operator/src/api/index.ts';
import { dataParts } from '../../../operator/src/domain/data-pod.ts';

const data = (source: object, cache?: object): TrainerSpec['data'] => ({ source, target: 'y', ...(cache === undefined ? {} : { cache }) }) as unknown as TrainerSpec['data'];

describe('the data of a trainer pod', () => {
  it('mounts a claim read-only, and tells where', () => {
    const { env, mounts, volumes } = dataParts(data({ uri: 'pvc://lake/2026/*.csv' }));
    expect(volumes).to.deep.equal([{ name: 'source', persistentVolumeClaim: { claimName: 'lake', readOnly: true } }]);
    expect(mounts).to.deep.equal([{ name: 'source', mountPath: '/source', readOnly: true }]);
    expect(env).to.deep.equal([{ name: 'ANNEAL_SOURCE_DIRECTORY', value: '/source' }]);
  });

  it('gives the keys of a bucket by reference to their Secret, the token only where there is one', () => {
    const { env, volumes } = dataParts(data({ uri: 's3://lake/rows/', credentials: { secretName: 'lake' } }));
    expect(volumes).to.deep.equal([]);
    expect(env).to.deep.equal([
      { name: 'ANNEAL_SOURCE_AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 'lake', key: 'AWS_ACCESS_KEY_ID' } } },
      { name: 'ANNEAL_SOURCE_AWS_SECRET_ACCESS_KEY', valueFrom: { secretKeyRef: { name: 'lake', key: 'AWS_SECRET_ACCESS_KEY' } } },
      { name: 'ANNEAL_SOURCE_AWS_SESSION_TOKEN', valueFrom: { secretKeyRef: { name: 'lake', key: 'AWS_SESSION_TOKEN', optional: true } } },
    ]);
  });

  const broker = (kafka: object): unknown => dataParts(data({ uri: 'kafka://broker:9092/payments', kafka, credentials: { secretName: 'broker' } })).env;
  const reference = (key: string, isOptional: boolean): object => ({ name: `ANNEAL_SOURCE_${key}`, valueFrom: { secretKeyRef: { name: 'broker', key, ...(isOptional ? { optional: true } : {}) } } });

  it('gives the user of a broker by reference to its Secret', () => {
    expect(broker({ security: 'Plaintext', sasl: 'SCRAM-SHA-512' })).to.deep.equal([reference('KAFKA_USERNAME', false), reference('KAFKA_PASSWORD', false)]);
  });

  it('gives certificates for TLS where the Secret has them, and no user where none is asked for', () => {
    const certificates = [reference('KAFKA_CA', true), reference('KAFKA_CERTIFICATE', true), reference('KAFKA_CERTIFICATE_KEY', true)];
    expect(broker({ security: 'TLS', sasl: 'None' })).to.deep.equal(certificates);
    expect(broker({ security: 'TLS', sasl: 'PLAIN' })).to.deep.equal([reference('KAFKA_USERNAME', false), reference('KAFKA_PASSWORD', false), ...certificates]);
  });

  it('mounts the claim that trials keep data in', () => {
    const { env, mounts, volumes } = dataParts(data({ uri: 'https://example.com/x.csv' }, { claimName: 'shared', maxBytes: 1000 }));
    expect(volumes).to.deep.equal([{ name: 'data-cache', persistentVolumeClaim: { claimName: 'shared' } }]);
    expect(mounts).to.deep.equal([{ name: 'data-cache', mountPath: '/data-cache' }]);
    expect(env).to.deep.equal([{ name: 'ANNEAL_DATA_CACHE', value: '/data-cache' }, { name: 'ANNEAL_DATA_CACHE_BYTES', value: '1000' }]);
  });

  it('mounts the key of pseudonyms as a file', () => {
    const privacy = { pseudonymise: { columns: ['card'], key: { secretName: 'pseudonyms', key: 'current' } } };
    const { env, mounts, volumes } = dataParts({ ...data({ uri: 'https://example.com/x.csv' }), privacy });
    expect(volumes).to.deep.equal([{ name: 'pseudonyms', secret: { secretName: 'pseudonyms', items: [{ key: 'current', path: 'current' }] } }]);
    expect(mounts).to.deep.equal([{ name: 'pseudonyms', mountPath: '/var/run/secrets/anneal.dev/pseudonyms', readOnly: true }]);
    expect(env).to.deep.equal([{ name: 'ANNEAL_PSEUDONYM_KEY', value: '/var/run/secrets/anneal.dev/pseudonyms/current' }]);
  });

  it('gives a web address nothing', () => {
    expect(dataParts(data({ uri: 'https://example.com/x.csv' }))).to.deep.equal({ env: [], mounts: [], volumes: [] });
  });
});
