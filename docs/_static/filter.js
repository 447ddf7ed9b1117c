// Shows the rows of a table that contain every word of a search field. Without scripts the whole table is shown.
for (const field of document.querySelectorAll("input[data-filter]")) {
  const rows = [...document.querySelectorAll(`#${field.dataset.filter} tbody tr`)];
  const texts = rows.map((row) => `${row.textContent} ${row.dataset.more ?? ""}`.toLowerCase());
  const count = document.querySelector(`[data-count="${field.dataset.filter}"]`);
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row, index) => (row.hidden = !words.every((word) => texts[index].includes(word))));
    count.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  };
  field.addEventListener("input", show);
  show();
}
