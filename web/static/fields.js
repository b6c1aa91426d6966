// What a form says, as the JSON that the API takes.
// Numbers and moments that are left empty say null, and so does a text with data-empty="null";
// data-times multiplies a number (gigabytes to bytes); data-kind="json" is a value as it stands;
// boxes with a value of their own are told together, as a list.

/** The form's named fields that are there to be told. */
export function said(form) {
  const told = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.dataset.kind === "path") continue;
    if (field.type === "radio" && !field.checked) continue;
    const isOfMany = field.type === "checkbox" && field.hasAttribute("value");
    if (!isOfMany) told[field.name] = value(field);
    else (told[field.name] ??= []).push(...(field.checked ? [field.value] : []));
  }
  return told;
}

/** The address with its {names} filled from the fields of the form, or from any other values. */
export const filled = (address, from) => address.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(from[name]?.value ?? from[name]));

const MEASURED = ["number", "date", "datetime-local"];

function value(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.dataset.kind === "json") return JSON.parse(field.value);
  if (field.value === "" && (MEASURED.includes(field.type) || field.dataset.empty === "null")) return null;
  if (field.type === "number") return Math.round(field.valueAsNumber * (field.dataset.times ?? 1));
  if (field.type === "datetime-local") return new Date(field.value).toISOString();
  if (field.type === "date") return new Date(`${field.value}T23:59:59`).toISOString(); // to the day's end
  return field.value;
}
