// @ts-check
// Say it to those who do not see the copy button change.
addEventListener("click", () => {
  const done = document.querySelector(".copybtn.success");
  const say = document.getElementById("copied");
  if (say) say.textContent = done ? "Copied" : "";
});
