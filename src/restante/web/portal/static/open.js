// Sends the form of a one-time link at once. Without this file, its button does.
"use strict";

const opening = document.querySelector("form[data-open]");
if (opening) opening.submit();
