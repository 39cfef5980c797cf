import { expect } from 'chai';
import { checks, serveEndpoint } from '../../../operator/src/runtime/health.ts';

describe('the operator\'s own HTTP', () => {
  it('is ready when every check says so, and names the one that does not', async () => {
    let synced = false;
    await using endpoint = await serveEndpoint({ port: 0, host: '127.0.0.1', paths: { '/readyz': checks({ caches: () => synced, leader: () => true }) } });
    const ask = () => fetch(`http://127.0.0.1:${endpoint.port}/readyz?verbose`, { headers: { connection: 'close' } });
    const before = await ask();
    expect([before.status, await before.text()]).to.deep.equal([503, '[-]caches failed\n[+]leader ok\n']);
    synced = true;
    expect((await ask()).status).to.equal(200);
  });

  it('answers 404 for other paths, 500 with the reason when a responder fails', async () => {
    await using endpoint = await serveEndpoint({ port: 0, host: '127.0.0.1', paths: { '/metrics': () => Promise.reject(new Error('no figures')) } });
    const ask = (path: string) => fetch(`http://127.0.0.1:${endpoint.port}${path}`, { headers: { connection: 'close' } });
    expect((await ask('/nothing')).status).to.equal(404);
    const failed = await ask('/metrics');
    expect([failed.status, await failed.text()]).to.deep.equal([500, 'no figures\n']);
  });
});
