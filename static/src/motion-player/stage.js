// The room the person stands in: renderer, light, floor, colours. It draws only when somebody asked for a picture.
import {
  Color, DirectionalLight, Group, HemisphereLight, Mesh, NeutralToneMapping, PCFShadowMap, PlaneGeometry, Scene, ShaderMaterial,
  ShadowMaterial, Vector3, WebGLRenderer,
} from "three";

const FLOOR_SIZE = 12; // metres
const FLOOR_FADE = [1.0, 2.6]; // metres from the person: the grid is full, the grid is gone
const MAX_PIXEL_RATIO = 2;
// On a slow machine a moving picture is drawn with fewer pixels; a still one is always sharp. Ours.
const SLOW = 45, PAUSE = 400, PATIENCE = 10, COARSER = 0.75, COARSEST = 0.5; // ms for a picture; ms that mean an interruption; pictures

// Lines every 10 cm and, stronger, every 50 cm; their width is in pixels at every distance.
const GRID = {
  vertexShader: /* glsl */ `
    varying vec2 place;
    void main() {
      place = (modelMatrix * vec4(position, 1.0)).xz;
      gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
    }`,
  fragmentShader: /* glsl */ `
    uniform vec3 line; uniform vec2 centre; uniform vec2 fade; uniform float strength;
    varying vec2 place;
    float lines(float spacing, float width) {
      vec2 cell = place / spacing;
      vec2 pixel = fwidth(cell);
      vec2 distance = abs(fract(cell - 0.5) - 0.5) / max(pixel, vec2(1e-6));
      vec2 ink = (1.0 - smoothstep(vec2(width), vec2(width + 1.0), distance)) * (1.0 - smoothstep(0.25, 0.7, pixel));
      return max(ink.x, ink.y);
    }
    void main() {
      float ink = max(lines(0.1, 0.1) * 0.35, lines(0.5, 0.4));
      float alpha = ink * strength * (1.0 - smoothstep(fade.x, fade.y, length(place - centre)));
      if (alpha < 0.004) discard;
      gl_FragColor = vec4(line, alpha);
      #include <colorspace_fragment>
    }`,
};

export class Stage {
  scene = new Scene();
  /** Everything that belongs to the motions; flipped left to right in the mirror view. */
  people = new Group();
  theme = null;
  renderedFrames = 0;
  #renderer; #request = 0; #draw; #suspended = false; #lights;
  #quality = 1; #drawnQuality = 1; #lastMoving = 0; #slow = 0; #size = { width: 1, height: 1 };

  /** @param draw called before each picture with the time stamp; throws when WebGL is missing */
  constructor(canvas, draw) {
    this.#draw = draw;
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "default" });
    this.#renderer.toneMapping = NeutralToneMapping;
    this.#renderer.shadowMap.enabled = true;
    this.#renderer.shadowMap.type = PCFShadowMap;
    this.#light();
    this.#floor();
    this.scene.add(this.people);
  }

  #light() {
    const sky = new HemisphereLight(0xffffff, 0xb9b2a6, 1.5);
    const key = new DirectionalLight(0xfff6e8, 2.6);
    key.position.set(2.2, 4.2, 2.0);
    const fill = new DirectionalLight(0xdfe9ff, 0.8);
    fill.position.set(1.5, 1.5, -3);
    const rim = new DirectionalLight(0xffffff, 1.1);
    rim.position.set(-3, 2.5, 0.5);
    key.castShadow = true;
    key.shadow.mapSize.set(2048, 2048);
    key.shadow.radius = 5;
    key.shadow.normalBias = 0.012;
    key.shadow.bias = -0.0002;
    Object.assign(key.shadow.camera, { left: -1.6, right: 1.6, top: 1.6, bottom: -1.6, near: 1, far: 9 });
    this.#lights = { sky, key, fill, rim };
    this.scene.add(sky, key, key.target, fill, rim);
  }

  #floor() {
    const plane = new PlaneGeometry(FLOOR_SIZE, FLOOR_SIZE).rotateX(-Math.PI / 2);
    this.shadow = new Mesh(plane, new ShadowMaterial({ opacity: 0.25, depthWrite: false }));
    this.shadow.receiveShadow = true;
    this.grid = new Mesh(plane, new ShaderMaterial({
      ...GRID, transparent: true, depthWrite: false,
      uniforms: {
        line: { value: new Color() }, strength: { value: 1 }, centre: { value: { x: 0, y: 0 } }, fade: { value: { x: FLOOR_FADE[0], y: FLOOR_FADE[1] } },
      },
    }));
    this.shadow.renderOrder = -2;
    this.grid.renderOrder = -1;
    this.scene.add(this.shadow, this.grid);
  }

  /** Puts floor and light around the person. `centre` in ground, metres. */
  centreOn(centre) {
    this.grid.material.uniforms.centre.value = { x: centre.x, y: centre.z };
    const { key } = this.#lights;
    key.target.position.set(centre.x, 0.7, centre.z);
    key.position.copy(key.target.position).add(new Vector3(1.8, 3.6, 1.9));
  }

  /** @param theme colours read from the page: see theme.js */
  colour(theme) {
    this.theme = theme;
    this.grid.material.uniforms.line.value.copy(theme.floorLine);
    this.grid.material.uniforms.strength.value = theme.dark ? 0.5 : 0.55;
    this.shadow.material.opacity = theme.dark ? 0.5 : 0.22;
    this.#lights.sky.intensity = theme.dark ? 1.1 : 1.5;
    this.requestRender();
  }

  set mirrored(mirrored) {
    this.people.scale.z = mirrored ? -1 : 1;
  }

  resize(width, height) {
    this.#size = { width, height };
    this.#resample(this.#drawnQuality);
    if (!this.#suspended) this.drawNow(); // a new size empties the canvas: draw before the browser shows it
  }

  /** Draws at once, off screen too, in place of the picture that was asked for. */
  drawNow() {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    this.#draw();
  }

  #resample(quality) {
    this.#drawnQuality = quality;
    this.#renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, MAX_PIXEL_RATIO) * quality);
    this.#renderer.setSize(this.#size.width, this.#size.height, false);
  }

  // Lowers the quality of moving pictures after several slow ones in a row.
  #measure(moving) {
    const now = performance.now();
    const took = now - this.#lastMoving;
    this.#lastMoving = moving ? now : 0;
    this.#slow = moving && took > SLOW && took < PAUSE ? this.#slow + 1 : 0;
    if (this.#slow < PATIENCE) return;
    this.#slow = 0;
    this.#quality = Math.max(COARSEST, this.#quality * COARSER);
  }

  /** What lies in the graphics card's memory: {geometries, textures}. */
  get memory() {
    const { geometries, textures } = this.#renderer.info.memory;
    return { geometries, textures };
  }

  requestRender() {
    if (this.#request || this.#suspended) return;
    this.#request = requestAnimationFrame((now) => {
      this.#request = 0;
      if (!this.#suspended) this.#draw(now);
    });
  }

  /** @param moving whether the next picture follows at once: playing, not a still */
  render(camera, moving) {
    this.#measure(moving);
    const quality = moving ? this.#quality : 1;
    if (quality !== this.#drawnQuality) this.#resample(quality);
    this.#renderer.render(this.scene, camera);
    this.renderedFrames += 1;
  }

  /** Off screen or without a context nothing is drawn; the next picture comes when `suspended` is false again. */
  set suspended(suspended) {
    this.#suspended = suspended;
    if (!suspended) this.requestRender();
  }

  dispose() {
    this.#suspended = true;
    cancelAnimationFrame(this.#request);
    for (const mesh of [this.shadow, this.grid]) mesh.material.dispose();
    this.grid.geometry.dispose();
    this.#lights.key.shadow.dispose();
    this.#renderer.dispose();
    this.#renderer.forceContextLoss();
  }
}
