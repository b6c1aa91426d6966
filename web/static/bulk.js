// Work on many pictures at once.

import { ask, tell } from "./frame.js";

/** Begin what a button of the selection's bar names. */
export async function begin(wish, wall, choice) {
  if (wish !== "trash") return;
  const which = choice.isAll ? { query: wall.source.query } : { files: [...choice.ids] };
  const { trashed, restored } = wall.element.dataset;
  try {
    const done = await ask("POST", "/api/v2/batches", { operation: { kind: "trash" }, ...which });
    choice.clear();
    await wall.again();
    tell(trashed.replace("{}", done.files), async () => {
      await ask("POST", `/api/v2/jobs/${done.job}/undo`, {});
      await wall.again();
      tell(restored);
    });
  } catch (error) { tell(error.message); }
}
