import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { KubernetesObject } from '#fleet';
import { LoopbackAuthority } from '#simulation';

/** A webhook that looks at one resource of one namespace. */
export interface TestWebhook {
  readonly name: string;
  readonly kind: 'Validating' | 'Mutating';
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[];
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  /** `patch` is a JSON merge patch without nulls. */
  review(request: {
    readonly name: string;
    readonly object?: KubernetesObject;
  }): { readonly deny: string } | { readonly patch: Record<string, unknown> } | 'allow';
}

interface AdmissionReview {
  readonly request: {
    readonly uid: string;
    readonly name: string;
    readonly object: KubernetesObject | null;
  };
}

/** Serves one webhook over HTTPS on loopback, and words the configuration that makes an API server ask it. */
export class WebhookServer {
  readonly #authority = new LoopbackAuthority('webhook');
  readonly #server: https.Server;

  private constructor(readonly hook: TestWebhook) {
    const { certificatePem: cert, keyPem: key } = this.#authority.issue('webhook', ['server']);
    this.#server = https.createServer({ cert, key }, (request, response) => {
      void json(request).then((body) => {
        const text = JSON.stringify(this.#answer(body as AdmissionReview));
        response.writeHead(200, { 'content-type': 'application/json' }).end(text);
      });
    });
  }

  static async start(hook: TestWebhook): Promise<WebhookServer> {
    const server = new WebhookServer(hook);
    await new Promise<void>((listening) => server.#server.listen(0, '127.0.0.1', listening));
    return server;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  configuration(): KubernetesObject {
    const { name, kind, operations, group, resource, namespace } = this.hook;
    const { port } = this.#server.address() as AddressInfo;
    return {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name },
      webhooks: [
        {
          name,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          timeoutSeconds: 5,
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [{ apiGroups: [group], apiVersions: ['*'], operations, resources: [resource] }],
          clientConfig: {
            url: `https://127.0.0.1:${port}/`,
            caBundle: Buffer.from(this.#authority.caPem).toString('base64'),
          },
        },
      ],
    };
  }

  #answer({ request }: AdmissionReview): unknown {
    const { uid, name, object } = request;
    const verdict = this.hook.review({ name, ...(object && { object }) });
    const response =
      verdict === 'allow'
        ? { uid, allowed: true }
        : 'deny' in verdict
          ? { uid, allowed: false, status: { message: verdict.deny } }
          : { uid, allowed: true, patchType: 'JSONPatch', patch: base64(jsonPatch(object, verdict.patch)) };
    return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
  }
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same change as a JSON patch, which is what API servers take. */
function jsonPatch(object: unknown, patch: Record<string, unknown>, way = ''): readonly unknown[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const path = `${way}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const there = isMap(object) ? object[key] : undefined;
    if (isMap(value) && isMap(there)) return jsonPatch(there, value, path);
    return [{ op: 'add', path, value }];
  });
}
