/** The smallest controller there can be, on a kind of its own: a Widget wants `size` ConfigMaps and reports how many there are. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conditionsFrom, timestamp } from '../../../operator/src/api/index.ts';
import type { Condition } from '../../../operator/src/api/index.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../../../operator/src/kube/resource.ts';
import { controllingOwner, defineController, done, slim, waitForCache, watched } from '../../../operator/src/runtime/index.ts';
import type { Action, Controller, Next, Scope } from '../../../operator/src/runtime/index.ts';

export const widgetType: ResourceType = { group: 'kit.test', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
export const configMapType: ResourceType = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };

export interface Widget extends KubeObject {
  readonly spec: { readonly size: number };
  readonly status?: WidgetStatus;
}

export interface WidgetStatus {
  readonly children: number;
  readonly conditions: readonly Condition[];
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const widgets = watched<Widget, Widget>(widgetType, { project: (raw) => ({ ...raw, ...slim(raw) }) });
export const children = watched(configMapType, { selector: { labels: 'kit.test/widget' }, project: (raw: ConfigMap): ConfigMap => ({ ...slim(raw) }) });

const watches = { widgets, children };
type WidgetScope = Scope<typeof watches, WidgetStatus>;

export function widgetController(): Controller {
  return defineController({ name: 'widget', watches, primary: 'widgets', triggers: { children: controllingOwner(widgetType) }, reconcile });
}

async function reconcile(key: ObjectKey, scope: WidgetScope): Promise<Next> {
  const widget = scope.stores.widgets.get(key);
  if (widget?.metadata.uid === undefined || widget.metadata.deletionTimestamp !== undefined) return done;
  if (!scope.expectations.met(key)) return waitForCache;
  const held = scope.stores.children.controlledBy(widget.metadata.uid);
  const outcome = await scope.execute(plan(widget, widget.metadata.uid, held));
  const ready = held.length === widget.spec.size && outcome.kind === 'done';
  const conclusion = { type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'Complete' : 'Growing', message: `${held.length} of ${widget.spec.size}` } as const;
  const conditions = conditionsFrom(widget.status?.conditions, [conclusion], widget.metadata.generation ?? 0, timestamp(scope.clock.now()));
  await scope.report(key, { children: held.length, conditions });
  return done;
}

function plan(widget: Widget, uid: string, held: readonly KubeObject[]): Action[] {
  const wanted = Array.from({ length: widget.spec.size }, (_, index) => `${widget.metadata.name}-${index}`);
  const names = new Set(held.map((child) => child.metadata.name));
  const surplus = held.filter((child) => !wanted.includes(child.metadata.name) && child.metadata.deletionTimestamp === undefined);
  return [
    ...wanted.filter((name) => !names.has(name)).map((name): Action => ({ kind: 'Create', type: configMapType, object: childOf(widget, uid, name) })),
    ...surplus.map((child): Action => ({
      kind: 'Delete',
      target: { type: configMapType, namespace: child.metadata.namespace ?? '', name: child.metadata.name, uid: child.metadata.uid ?? '' },
    })),
  ];
}

function childOf(widget: Widget, uid: string, name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: widget.metadata.namespace ?? '',
      labels: { 'kit.test/widget': widget.metadata.name },
      ownerReferences: [{ apiVersion: 'kit.test/v1', kind: 'Widget', name: widget.metadata.name, uid, controller: true }],
    },
  };
}

/** A Widget to create. */
export function widget(namespace: string, name: string, size: number): Widget {
  return { apiVersion: 'kit.test/v1', kind: 'Widget', metadata: { name, namespace }, spec: { size } };
}

const crd = (group: string): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [{
      name: 'v1', served: true, storage: true, subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', properties: {
        spec: { type: 'object', properties: { size: { type: 'integer' } } },
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      } } },
    }],
  },
});

/** Installs the Widget CRD by `install`, which takes files of manifests. */
export async function installWidgets(install: (files: readonly string[]) => Promise<void>, group = widgetType.group): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'anneal-widgets-'));
  try {
    const file = join(directory, 'widgets.json');
    await writeFile(file, JSON.stringify(crd(group)));
    await install([file]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
