// What is on the screen, read back from Three.js for tests and for looking into a player from the browser's console.
import { Vector3 } from "three";
import { JointCentres } from "./overlays.js";

/**
 * Positions are of the scene's nodes as drawn, in ground before mirroring, metres:
 * {renderedFrames, time, camera: {preset, position, target direction}, people: [{bones, bodies: {name: [x, y, z]}, lowest}], joints: {name: [x, y, z]}}
 */
export function inspect({ stage, rig, skeletons, overlays, body, time }) {
  if (!stage) return null;
  stage.scene.updateMatrixWorld(true);
  const inGround = (node) => stage.people.worldToLocal(node.getWorldPosition(new Vector3())).toArray();
  const joints = overlays.find((overlay) => overlay instanceof JointCentres)?.root.children ?? [];
  return {
    renderedFrames: stage.renderedFrames,
    memory: stage.memory,
    time,
    dark: stage.theme.dark,
    camera: { preset: rig.preset, position: rig.camera.position.toArray(), inFrame: inFrame(skeletons, rig.camera, stage.people) },
    people: skeletons.map((skeleton) => ({
      bones: skeleton.hasBones,
      bodies: Object.fromEntries([...skeleton.nodes].map(([name, node]) => [name, inGround(node)])),
      lowestSole: lowest(skeleton),
    })),
    ...body.inspect(),
    margin: overlays.find((overlay) => "margin" in overlay)?.margin ?? null,
    joints: Object.fromEntries(joints.map((ball) => [ball.name, inGround(ball)])),
  };
}

// The lowest point of both feet, metres above the floor.
function lowest(skeleton) {
  let height = Infinity;
  for (const { node, points } of (skeleton.feet ?? []).flat()) {
    for (const point of points) height = Math.min(height, point.clone().applyMatrix4(node.matrixWorld).y);
  }
  return height;
}

// Bounds of the whole motion on the screen, -1 to 1: {left, right, bottom, top}.
function inFrame(skeletons, camera, people) {
  const bounds = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  camera.updateMatrixWorld();
  for (const point of skeletons.flatMap((skeleton) => (skeleton.feet ? skeleton.extent() : []))) {
    const { x, y } = people.localToWorld(point).project(camera);
    Object.assign(bounds, {
      left: Math.min(bounds.left, x), right: Math.max(bounds.right, x), bottom: Math.min(bounds.bottom, y), top: Math.max(bounds.top, y),
    });
  }
  return bounds;
}
