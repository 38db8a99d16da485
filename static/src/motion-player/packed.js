// Arrays over time as the engine packs them (generation/engine/formats/packed.py): 16-bit second differences, base64.
// Version 1 of the playback document had plain little-endian float32.

/** A failure with a sentence for the person who looks at the page. */
export class PlayerError extends Error {}

function bytesOf(base64, field) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new PlayerError(`This motion cannot be read: "${field}" is not base64.`);
  }
}

const wrong = (field, found, expected) => new PlayerError(`This motion cannot be read: "${field}" holds ${found} numbers, ${expected} are needed.`);

/** The Float32Array of one entry with `frames` rows and `columns` columns, row by row. */
export function unpack(entry, frames, columns, field) {
  const count = frames * columns;
  const bytes = bytesOf(entry?.data ?? "", field);
  if (bytes.length !== count * 2) throw wrong(field, bytes.length / 2, count);
  const steps = entry.step ?? [];
  if (steps.length !== 1 && steps.length !== columns) throw wrong(`${field}.step`, steps.length, columns);
  const values = new Float32Array(count);
  for (let column = 0; column < columns; column += 1) {
    const step = steps.length === 1 ? steps[0] : steps[column];
    if (!Number.isFinite(step)) throw new PlayerError(`This motion cannot be read: "${field}" holds a step that is no number.`);
    let slope = 0, whole = 0;
    for (let frame = 0; frame < frames; frame += 1) {
      const at = column * frames + frame;
      slope = (slope + (bytes[at] | (bytes[count + at] << 8))) << 16 >> 16; // as 16-bit integers wrap
      whole = (whole + slope) << 16 >> 16;
      values[frame * columns + column] = whole * step;
    }
  }
  return values;
}

/** The Float32Array of an entry of version 1. */
export function floats(base64, count, field) {
  const bytes = bytesOf(base64, field);
  if (bytes.length !== count * 4) throw wrong(field, bytes.length / 4, count);
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = view.getFloat32(i * 4, true); // little-endian on every machine
  if (!values.every(Number.isFinite)) throw new PlayerError(`This motion cannot be read: "${field}" holds a value that is no number.`);
  return values;
}
