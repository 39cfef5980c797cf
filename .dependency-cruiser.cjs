/** Imports only go downwards: api <- domain <- controllers, kube <- runtime <- controllers; only main wires things together. */
const from = (path) => ({ path: `^operator/src/${path}/` });
const notTo = (...allowed) => ({ path: '^operator/src/', pathNot: allowed.map((dir) => `^operator/src/${dir}/`) });

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'api-is-the-bottom', severity: 'error', from: from('api'), to: notTo('api') },
    { name: 'domain-is-pure', severity: 'error', from: from('domain'), to: notTo('api', 'domain') },
    { name: 'domain-has-no-io', severity: 'error', from: from('domain'), to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' } },
    { name: 'telemetry-stands-alone', severity: 'error', from: from('telemetry'), to: notTo('telemetry') },
    { name: 'kube-below-runtime', severity: 'error', from: from('kube'), to: notTo('api', 'kube', 'telemetry') },
    { name: 'runtime-below-controllers', severity: 'error', from: from('runtime'), to: notTo('api', 'kube', 'runtime', 'telemetry') },
    { name: 'cli-above-the-api-server', severity: 'error', from: from('cli'), to: notTo('api', 'domain', 'kube', 'cli') },
    { name: 'nobody-sees-the-cli', severity: 'error', from: { path: '^operator/src/', pathNot: '^operator/src/cli/' }, to: { path: '^operator/src/cli/' } },
    { name: 'controllers-see-no-main', severity: 'error', from: from('controllers'), to: { path: '^operator/src/main' } },
    { name: 'trainer-sees-only-the-api', severity: 'error', from: { path: '^trainer-image/src/' }, to: { path: '^operator/src/', pathNot: '^operator/src/api/' } },
    { name: 'trainer-sees-only-the-api', severity: 'error', from: { path: '^operator/src/' }, to: { path: '^(trainer-image|hack|test)/' } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true, enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node'] }, moduleSystems: ['es6'] },
};
