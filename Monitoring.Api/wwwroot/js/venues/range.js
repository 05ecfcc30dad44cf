// The range of the charts, which they share.

const inputs = [...document.querySelectorAll('input[name="range"]')];

export const hours = () => Number(inputs.find((input) => input.checked).value);

export const rangeLabel = (value) => (value >= 48 ? `${value / 24} d` : `${value} h`);

/** Calls back when another range is chosen. */
export function onRange(changed) {
  for (const input of inputs) input.addEventListener('change', changed);
}
