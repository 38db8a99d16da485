// Defines <motion-player>. How to use it: docs/player.md.
import { MotionPlayer } from "./element.js";

if (!customElements.get("motion-player")) customElements.define("motion-player", MotionPlayer);
