/** Who we are to the API server: its address, and the TLS options and headers that prove it, kept fresh. */
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { Clock, Monotonic } from './clock.ts';

export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** The same object for as long as nothing in it changed, so that connections can be kept. */
  readonly tls: TlsOptions;
}

export interface Authority {
  readonly server: URL;
  credentials(): Promise<Credentials>;
  /** The server refused these with 401: the next call loads new ones. */
  refused(credentials: Credentials): void;
}

/** The kubelet rotates a projected token well before it expires; reading it once a minute is what client-go does. */
const maxAgeMs = 60_000;

/** Keeps what `load` returned for a minute. `load` is told whether the server refused what it returned last. */
export function cachedAuthority(server: URL, clock: Clock, load: (refused: boolean) => Promise<Credentials>): Authority {
  let cached: { readonly credentials: Credentials; readonly at: Monotonic } | undefined;
  let loading: Promise<Credentials> | undefined;
  let wasRefused = false;

  async function reload(): Promise<Credentials> {
    try {
      const fresh = await load(wasRefused);
      const tls = cached !== undefined && sameTls(cached.credentials.tls, fresh.tls) ? cached.credentials.tls : fresh.tls;
      cached = { credentials: { headers: fresh.headers, tls }, at: clock.monotonic() };
      wasRefused = false;
      return cached.credentials;
    } finally {
      loading = undefined;
    }
  }

  return {
    server,
    credentials() {
      if (cached !== undefined && !wasRefused && clock.monotonic() - cached.at < maxAgeMs) return Promise.resolve(cached.credentials);
      return (loading ??= reload());
    },
    // Requests in flight are refused together: only the first refusal of what is in use now may cost a reload.
    refused: (credentials) => {
      if (cached?.credentials === credentials) wasRefused = true;
    },
  };
}

function sameTls(a: TlsOptions, b: TlsOptions): boolean {
  const text = (value: string | Buffer | undefined): string => value?.toString() ?? '';
  return (
    text(a.ca) === text(b.ca) && text(a.cert) === text(b.cert) && text(a.key) === text(b.key) &&
    a.servername === b.servername && a.rejectUnauthorized === b.rejectUnauthorized
  );
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's service account; `undefined` outside of a pod. Needs no client library, which saves the operator 50 MiB. */
export function inClusterAuthority(environment: Readonly<Record<string, string | undefined>>, clock: Clock, directory = serviceAccount): Authority | undefined {
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  if (host === undefined || host === '' || port === undefined) return undefined;
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return cachedAuthority(server, clock, async () => {
    const [token, ca] = await Promise.all([readFile(`${directory}/token`, 'utf8'), readFile(`${directory}/ca.crt`)]);
    return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
  });
}

export interface KubeConfigOptions {
  /** Left out: `$KUBECONFIG`, then `~/.kube/config`. */
  readonly path?: string;
  readonly context?: string;
}

/**
 * A kubeconfig with all that client-node supports: certificates, tokens, exec plugins, OIDC.
 * A refusal loads the file anew, which empties the plugins' own caches. Throws when it names no cluster.
 */
export async function kubeConfigAuthority(options: KubeConfigOptions, clock: Clock): Promise<Authority> {
  // Loaded only here: a pod never needs it.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const read = (): InstanceType<typeof KubeConfig> => {
    const config = new KubeConfig();
    if (options.path === undefined) config.loadFromDefault();
    else config.loadFromFile(options.path);
    if (options.context !== undefined) config.setCurrentContext(options.context);
    return config;
  };
  let config = read();
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error(`The kubeconfig has no cluster for the context "${config.getCurrentContext()}". Set current-context to one that it has.`);
  }
  return cachedAuthority(new URL(cluster.server), clock, async (refused) => {
    if (refused) config = read();
    const request: RequestOptions = {};
    await config.applyToHTTPSOptions(request);
    return { headers: headersOf(request), tls: tlsOf(request) };
  });
}

function headersOf(request: RequestOptions): Readonly<Record<string, string>> {
  const basic = typeof request.auth === 'string' ? { authorization: `Basic ${Buffer.from(request.auth).toString('base64')}` } : {};
  const given = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { ...basic, ...(Object.fromEntries(given) as Record<string, string>) };
}

function tlsOf(request: RequestOptions): TlsOptions {
  const { ca, cert, key, servername, rejectUnauthorized } = request as TlsOptions;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}
