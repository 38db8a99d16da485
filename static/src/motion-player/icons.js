// Icons of the buttons: 24 x 24, drawn in the colour of the text, hidden from screen readers (the button carries the words).

const PATHS = {
  play: '<path class="solid" d="M8 5.3v13.4a.8.8 0 0 0 1.2.7l10.7-6.7a.8.8 0 0 0 0-1.4L9.2 4.6A.8.8 0 0 0 8 5.3z"/>',
  pause: '<rect class="solid" x="6.5" y="5" width="4" height="14" rx="1.2"/><rect class="solid" x="13.5" y="5" width="4" height="14" rx="1.2"/>',
  restart: '<path d="M5 12a7 7 0 1 0 2.3-5.2"/><path d="M7.6 3.2v3.9h3.9"/>',
  "frame-back": '<path d="M15.5 6.5 10 12l5.5 5.5"/><path d="M6.5 6.5v11"/>',
  "frame-forward": '<path d="M8.5 6.5 14 12l-5.5 5.5"/><path d="M17.5 6.5v11"/>',
  loop: '<path d="M17 3.5 20 6.5l-3 3"/><path d="M20 6.5H8a4 4 0 0 0-4 4v1"/><path d="m7 20.5-3-3 3-3"/><path d="M4 17.5h12a4 4 0 0 0 4-4v-1"/>',
  "interval-start": '<path d="M10 5H6.5v14H10"/><path d="M11 12h7"/>',
  "interval-end": '<path d="M14 5h3.5v14H14"/><path d="M6 12h7"/>',
  "interval-clear": '<path d="m7 7 10 10M17 7 7 17"/>',
  fullscreen: '<path d="M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15"/>',
  "turn-left": '<path d="M4.5 9.5C6 13 9 14.5 12 14.5s6-1.5 7.5-5"/><path d="M4 13.5v-4.3h4.3"/>',
  "turn-right": '<path d="M19.5 9.5c-1.5 3.5-4.5 5-7.5 5s-6-1.5-7.5-5"/><path d="M20 13.5v-4.3h-4.3"/>',
  "turn-up": '<path d="m6.5 14 5.5-5.5 5.5 5.5"/>',
  "turn-down": '<path d="m6.5 10 5.5 5.5 5.5-5.5"/>',
  "zoom-in": '<path d="M12 5.5v13M5.5 12h13"/>',
  "zoom-out": '<path d="M5.5 12h13"/>',
  mirror: '<path d="M12 4v16" stroke-dasharray="2.5 2.5"/><path d="M8.5 7 4 17h4.5zM15.5 7 20 17h-4.5z"/>',
  picture: '<rect x="3.5" y="5" width="17" height="14" rx="1.5"/><rect class="solid" x="12" y="11.5" width="6" height="5" rx="0.8"/>',
  voice: '<path d="M5 5.5h14v10H11l-4 3.5v-3.5H5z"/><path d="M9 9.5h6M9 12.2h4"/>',
  metronome: '<path d="M9 4h6l3.5 16h-13z"/><path d="M12 15 17.5 6.5"/>',
  vibration: '<rect x="8.5" y="4" width="7" height="16" rx="1.5"/><path d="M5.5 9v6M3 10.5v3M18.5 9v6M21 10.5v3"/>',
  stop: '<rect class="solid" x="6.5" y="6.5" width="11" height="11" rx="1.5"/>',
  skip: '<path d="M6 6v12l8-6z"/><path d="M17.5 6v12"/>',
  announce: '<path d="M4.5 9.8v4.4h3l4.5 4V5.8l-4.5 4z"/><path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11"/>',
};

export const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${PATHS[name]}</svg>`;
