export { createEtcdAccess, type EtcdAccessOptions } from './etcd-access.js';
export { createRestoreDrill } from './restore-drill.adapter.js';
