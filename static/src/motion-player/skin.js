// A person in place of bones: the mannequin, bent by the motion's bodies. "skin" is translucent over the bones, "outfit" is dressed for
// sport and hides them.
import { Bone, BufferAttribute, BufferGeometry, Group, LessEqualDepth, Matrix4, MeshBasicMaterial, MeshStandardMaterial, Skeleton as Joints, SkinnedMesh, Vector3, Color } from "three";
import { mannequin } from "./mannequin.js";

export const APPEARANCES = ["bones", "skin", "outfit"];
const TRANSLUCENT = 0.42;

export class Skin {
  root = new Group();
  #skeleton; #bones; #material; #uniforms; #front;

  /** Throws nothing: `ready` is false for a body that the mannequin does not know. */
  constructor(skeleton) {
    this.#skeleton = skeleton;
    const shape = mannequin(skeleton.motion);
    this.ready = shape !== null;
    if (!this.ready) return;
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(shape.positions, 3));
    geometry.setAttribute("normal", new BufferAttribute(shape.normals, 3));
    geometry.setAttribute("skinIndex", new BufferAttribute(shape.skinIndex, 4));
    geometry.setAttribute("skinWeight", new BufferAttribute(shape.skinWeight, 4));
    geometry.setAttribute("cloth", new BufferAttribute(shape.cloth, 3));
    geometry.setIndex(shape.indices);
    this.#bones = shape.rest.map(() => new Bone());
    const one = new Vector3(1, 1, 1);
    const inverses = shape.rest.map(({ position, quaternion }) => new Matrix4().compose(position, quaternion, one).invert());
    this.#uniforms = { shirt: { value: new Color() }, shorts: { value: new Color() }, shoes: { value: new Color() }, dressed: { value: 0 } };
    this.#material = new MeshStandardMaterial({ roughness: 0.75, metalness: 0 });
    this.#material.depthFunc = LessEqualDepth;
    this.#material.onBeforeCompile = (shader) => {
      Object.assign(shader.uniforms, this.#uniforms);
      shader.vertexShader = shader.vertexShader.replace("#include <common>", "#include <common>\nattribute vec3 cloth; varying vec3 inside;")
        .replace("#include <begin_vertex>", "#include <begin_vertex>\ninside = cloth;");
      shader.fragmentShader = shader.fragmentShader
        .replace("#include <common>", "#include <common>\nvarying vec3 inside; uniform vec3 shirt; uniform vec3 shorts; uniform vec3 shoes; uniform float dressed;")
        .replace("#include <color_fragment>", /* glsl */ `
          vec3 edge = max(fwidth(inside), vec3(1e-4));
          vec3 worn = smoothstep(-edge, edge, inside) * dressed;
          diffuseColor.rgb = mix(mix(mix(diffuseColor.rgb, shirt, worn.x), shorts, worn.y), shoes, worn.z);`);
    };
    this.mesh = new SkinnedMesh(geometry, this.#material);
    // Fills the depth first, so that of a translucent body only the surface is seen and not what it hides.
    this.#front = new SkinnedMesh(geometry, new MeshBasicMaterial({ colorWrite: false, transparent: true }));
    const joints = new Joints(this.#bones, inverses);
    for (const [mesh, order] of [[this.#front, 4], [this.mesh, 5]]) {
      mesh.bind(joints, new Matrix4());
      mesh.frustumCulled = false;
      mesh.renderOrder = order;
    }
    this.mesh.castShadow = true;
    this.root.add(...this.#bones, this.#front, this.mesh);
    this.update();
  }

  /** @param name "skin" or "outfit"; @param through whether what lies inside has to be seen */
  wear(name, through) {
    if (!this.ready) return;
    this.#uniforms.dressed.value = name === "outfit" ? 1 : 0;
    const translucent = name === "skin" || through;
    this.#material.transparent = this.#front.visible = translucent;
    this.#material.opacity = translucent ? TRANSLUCENT : 1;
    this.#material.needsUpdate = true;
  }

  colour(theme) {
    if (!this.ready) return;
    this.#material.color.copy(theme.skin);
    for (const name of ["shirt", "shorts", "shoes"]) this.#uniforms[name].value.copy(theme[name]);
  }

  update() {
    if (!this.ready) return;
    let index = 0;
    for (const node of this.#skeleton.nodes.values()) {
      this.#bones[index].position.copy(node.position);
      this.#bones[index].quaternion.copy(node.quaternion);
      index += 1;
    }
  }

  dispose() {
    this.root.removeFromParent();
    if (!this.ready) return;
    this.mesh.geometry.dispose();
    this.mesh.skeleton.dispose();
    this.#material.dispose();
    this.#front.material.dispose();
  }
}
