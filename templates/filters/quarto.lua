-- The banner of a report on generated images, which Quarto's page has no place for.

local SIGNS = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

function Meta(meta)
  if meta.sample and meta.footer then
    local words = pandoc.utils.stringify(meta.footer):gsub("[&<>]", SIGNS)
    quarto.doc.include_text("before-body", '<div class="banner" role="note">' .. words .. "</div>")
  end
end
