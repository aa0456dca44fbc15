import { minutes, seconds } from '#kernel';
import type { SimInstance } from './world-types.js';
import type { RollWorld } from './world.js';

/** Out of service: the pod garbage collector removes what is on the node, and its volumes are detached at once. */
export function honourOutOfService(world: RollWorld): void {
  for (const node of world
    .nodes()
    .filter(({ taints }) => taints.some(({ key }) => key.endsWith('out-of-service')))) {
    const gone = world.ghosts.some((ghost) => ghost.node === node);
    if (!node.silent && !gone) throw new Error(`${node.name} is marked out of service and answers`);
    for (const pod of world.pods.filter((each) => each.node === node.name && !each.daemon)) {
      world.release(pod);
    }
  }
}

/** The machine is switched off: EC2 says stopped, the kubelet is silent. */
export function switchOff(world: RollWorld, instance: SimInstance): void {
  instance.stopped = true;
  if (instance.node) world.silence(instance.node, true);
}

/** Ready for a minute, silent for three, and so on. */
export function flap(world: RollWorld, instance: SimInstance): void {
  const turn = (silent: boolean): void => {
    if (!instance.node || instance.lifecycle === 'Terminating') return;
    world.silence(instance.node, silent);
    world.after(silent ? minutes(3) : seconds(60), () => turn(!silent));
  };
  turn(true);
}
