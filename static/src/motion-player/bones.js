// What hangs on each body of a skeleton: the bone meshes of bones.glb, or capsules between the joints when they cannot load.
import { BufferAttribute, BufferGeometry, CapsuleGeometry, Group, Matrix3, Mesh, SphereGeometry, Vector3 } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

const library = new Map(); // url -> Promise of [{names, geometry, matrix}]

/** The meshes of bones.glb, each with its place in the body's frame at scale 1. One download for all players of a page. */
export function loadBones(url) {
  if (!library.has(url)) {
    const loading = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).loadAsync(url).then(meshesOf);
    loading.catch(() => library.delete(url)); // the next attempt downloads again
    library.set(url, loading);
  }
  return library.get(url);
}

function meshesOf(gltf) {
  const meshes = [];
  gltf.scene.updateMatrixWorld(true);
  gltf.scene.traverse((object) => {
    if (!object.isMesh) return;
    if (!object.geometry.attributes.normal) object.geometry.computeVertexNormals();
    const names = []; // of the node and those above it, nearest first: exporters may hang meshes below a body's node
    for (let node = object; node; node = node.parent) names.push(node.userData.name ?? node.name);
    meshes.push({ names, geometry: object.geometry, matrix: object.matrixWorld });
  });
  return meshes;
}

const merged = new WeakMap(); // meshes of a file -> Map of body to one geometry in the body's frame at scale 1

/** Adds the bones of every body to its node, one mesh for each body: fewer meshes are drawn with less script. False when the file knows
 * none of the motion's bodies. */
export function hangBones(meshes, nodes, material) {
  const bodies = new Map();
  for (const mesh of meshes) {
    const body = mesh.names.find((name) => nodes.has(name));
    if (body) bodies.set(body, [...(bodies.get(body) ?? []), mesh]);
  }
  if (!merged.has(meshes)) merged.set(meshes, new Map());
  for (const [body, parts] of bodies) {
    const key = `${body} ${parts.length}`;
    if (!merged.get(meshes).has(key)) merged.get(meshes).set(key, join(parts));
    const mesh = new Mesh(merged.get(meshes).get(key), material);
    mesh.castShadow = true;
    nodes.get(body).add(mesh);
  }
  return bodies.size > 0;
}

function join(parts) {
  const corners = parts.reduce((sum, { geometry }) => sum + geometry.attributes.position.count, 0);
  const position = new Float32Array(corners * 3), normal = new Float32Array(corners * 3), index = [], point = new Vector3();
  let first = 0;
  for (const { geometry, matrix } of parts) {
    const { position: places, normal: slopes } = geometry.attributes;
    const turn = new Matrix3().getNormalMatrix(matrix);
    for (let i = 0; i < places.count; i += 1) {
      point.fromBufferAttribute(places, i).applyMatrix4(matrix).toArray(position, (first + i) * 3);
      point.fromBufferAttribute(slopes, i).applyMatrix3(turn).normalize().toArray(normal, (first + i) * 3);
    }
    const count = geometry.index?.count ?? places.count;
    for (let i = 0; i < count; i += 1) index.push(first + (geometry.index ? geometry.index.getX(i) : i));
    first += places.count;
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(position, 3));
  geometry.setAttribute("normal", new BufferAttribute(normal, 3));
  geometry.setIndex(index);
  return geometry;
}

// Simple figure: from the origin of a body to the origin of the next, and the radius (m). Origins are joint centres in OpenSim models.
const LIMBS = ["r", "l"].flatMap((side) => [
  [`femur_${side}`, `tibia_${side}`, 0.035], [`tibia_${side}`, `talus_${side}`, 0.028], [`calcn_${side}`, `toes_${side}`, 0.022],
  ["pelvis", `femur_${side}`, 0.04], ["torso", `humerus_${side}`, 0.04],
  [`humerus_${side}`, `ulna_${side}`, 0.025], [`ulna_${side}`, `hand_${side}`, 0.02],
]);
const TOE_LENGTH = 0.06, TOE_RADIUS = 0.018, HEAD_HEIGHT = 0.6, HEAD_RADIUS = 0.1; // ours, metres at scale 1

/** Adds the simple figure. Nodes carry the person's scale, so shapes hang below a counter-scaled group and stay round. */
export function hangCapsules(motion, nodes, material) {
  const shapes = new Map();
  const add = (body, geometry, place) => {
    if (!shapes.has(body)) {
      const group = new Group();
      group.scale.set(1, 1, 1).divide(nodes.get(body).scale);
      nodes.get(body).add(group);
      shapes.set(body, group);
    }
    const mesh = new Mesh(geometry, material);
    mesh.castShadow = true;
    place?.(mesh);
    shapes.get(body).add(mesh);
  };
  const capsule = (body, end, radius) => {
    const length = end.length();
    if (length < 1e-4) return;
    add(body, new CapsuleGeometry(radius, length, 6, 16), (mesh) => {
      mesh.position.copy(end).multiplyScalar(0.5);
      mesh.quaternion.setFromUnitVectors(new Vector3(0, 1, 0), end.clone().normalize());
    });
  };
  for (const [body, other, radius] of LIMBS) {
    if (nodes.has(body) && nodes.has(other)) capsule(body, motion.originIn(other, body), radius);
  }
  if (nodes.has("pelvis") && nodes.has("torso")) capsule("pelvis", motion.originIn("torso", "pelvis"), 0.05);
  for (const name of ["toes_r", "toes_l"]) {
    if (nodes.has(name)) capsule(name, new Vector3(TOE_LENGTH, 0, 0).multiply(nodes.get(name).scale), TOE_RADIUS);
  }
  if (nodes.has("torso")) {
    const top = new Vector3(0, HEAD_HEIGHT, 0).multiply(nodes.get("torso").scale);
    capsule("torso", top.clone().multiplyScalar(0.8), 0.05);
    add("torso", new SphereGeometry(HEAD_RADIUS, 24, 16), (mesh) => mesh.position.copy(top));
  }
}

/** Up to `limit` vertices of what hangs on a node, in the node's frame: enough for outlines and framing. Array of Vector3. */
export function samplePoints(node, limit = 160) {
  const points = [];
  node.updateWorldMatrix(true, true);
  const inverse = node.matrixWorld.clone().invert();
  node.traverse((object) => {
    if (!(object.geometry instanceof BufferGeometry)) return;
    const position = object.geometry.attributes.position;
    const stride = Math.max(1, Math.floor(position.count / limit));
    const toNode = inverse.clone().multiply(object.matrixWorld);
    for (let i = 0; i < position.count; i += stride) {
      points.push(new Vector3().fromBufferAttribute(position, i).applyMatrix4(toNode));
    }
  });
  return points;
}
