-- What Quarto adds to pandoc's markdown, in its wording: numbers of sections, figures, tables and
-- equations, references to them, callouts, tabsets and layouts. Runs before citeproc, which would take
-- every @fig-x for a citation.

local WORDS = { fig = "Figure", tbl = "Table", sec = "Section", eq = "Equation" }
local CALLOUTS = { note = "Note", warning = "Warning", important = "Important", tip = "Tip", caution = "Caution" }
local MONTHS = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
  "October", "November", "December" }
local NBSP = "\u{a0}"
local SHORT_TABLE = 30
local LINE, DENSE_LINE = 92, 112 -- letters of a table's line on paper, with usual and with narrow spaces
local HTML_ONLY, SUPPLEMENT = "html-only", "S" -- what the PDF does not have is counted apart: "Table S1"
local RUNNING_TITLE = 62 -- letters
local SHORT_NAME = 16 -- bytes
local RELATIONS = { ["="] = true, ["<"] = true, [">"] = true, ["≤"] = true, ["≥"] = true, ["×"] = true }
local SHORT_CODE = 36 -- letters that stay on one line on paper

local numbers = {} -- id -> "3" or "4.1"
local counts = { fig = 0, tbl = 0, eq = 0, Sfig = 0, Stbl = 0 }
local section = { 0, 0, 0, 0, 0, 0 }
local tabsets = 0
local placed, cited, noted = false, false, false -- whether the references have their place, anything is cited, and there are notes

local function fail(message)
  error("report.qmd: " .. message, 0)
end

local function number_of(kind, id, element)
  local prefix = element and element.classes:includes(HTML_ONLY) and SUPPLEMENT or ""
  counts[prefix .. kind] = counts[prefix .. kind] + 1
  numbers[id] = prefix .. counts[prefix .. kind]
  return numbers[id]
end

-- "Figure 1: " before the caption, as Quarto writes it.
local function caption(kind, number, blocks)
  local label = { pandoc.Str(WORDS[kind] .. NBSP .. number .. (#blocks > 0 and ":" or "")) }
  if #blocks == 0 then
    return { pandoc.Plain(label) }
  end
  table.insert(label, pandoc.Space())
  blocks[1].content = pandoc.Inlines(label) .. blocks[1].content
  return blocks
end

-- Numbering, in the order of reading -------------------------------------------------------------

-- The title is the only heading of the first level; the link is for the reader to copy.
local function below_title(h)
  local name = "Link to " .. pandoc.utils.stringify(h.content)
  h.level = h.level + 1
  h.content:insert(pandoc.Link({}, "#" .. h.identifier, "", { class = "anchor", ["aria-label"] = name }))
  return h
end

local function header(h)
  if h.classes:includes("unnumbered") then
    return below_title(h)
  end
  section[h.level] = section[h.level] + 1
  for deeper = h.level + 1, #section do
    section[deeper] = 0
  end
  local number = table.concat(section, ".", 1, h.level)
  numbers[h.identifier] = number
  h.attributes["data-number"] = number
  local shown = pandoc.Span(number, { class = "header-section-number" })
  h.content = pandoc.Inlines({ shown, pandoc.Space() }) .. h.content
  return below_title(h)
end

local function image(i)
  i.attributes.alt = i.attributes["fig-alt"]
  i.attributes["fig-alt"] = nil
  return i
end

local function figure(f)
  if f.identifier:match("^fig%-") then
    f.caption.long = caption("fig", number_of("fig", f.identifier, f), f.caption.long)
  end
  return f
end

local function is_interval(text)
  return text:match(NBSP .. "to" .. NBSP) or text:match(NBSP .. "/" .. NBSP) or text:match("%d–%d")
end

local function widest_word(text)
  local widest = 0
  for word in text:gmatch("%S+") do
    widest = math.max(widest, utf8.len(word) or #word)
  end
  return widest
end

-- The cells of rows with the column in which each begins, also where cells of the rows above reach down.
local function placed_cells(rows)
  local cells, reaching = {}, {}
  for _, row in ipairs(rows) do
    local column = 1
    local function pass()
      while (reaching[column] or 0) > 0 do
        reaching[column] = reaching[column] - 1
        column = column + 1
      end
    end
    for _, cell in ipairs(row.cells) do
      pass()
      table.insert(cells, { cell = cell, column = column })
      for spanned = column, column + cell.col_span - 1 do reaching[spanned] = cell.row_span - 1 end
      column = column + cell.col_span
    end
    pass()
  end
  return cells
end

local function all_cells(tbl)
  local cells, rows = placed_cells(tbl.head.rows), #tbl.head.rows
  for _, body in ipairs(tbl.bodies) do
    rows = rows + #body.body
    for _, placed in ipairs(placed_cells(body.body)) do table.insert(cells, placed) end
  end
  return cells, rows
end

-- How many letters a line needs so that no word of the table breaks, and whether an interval may be in it.
local function letters_wide(tbl)
  local columns, intervals = {}, false
  local cells, rows = all_cells(tbl)
  for _, placed in ipairs(cells) do
    local text, at = pandoc.utils.stringify(placed.cell.contents), placed.column
    if placed.cell.col_span == 1 then columns[at] = math.max(columns[at] or 0, widest_word(text)) end
    intervals = intervals or is_interval(text)
  end
  local letters = 0
  for _, width in ipairs(columns) do letters = letters + width + 2.5 end
  return letters, rows, intervals
end

-- What a cell is the head of; one over several columns stands in their middle, with room before their first.
local function head_cells(tbl)
  local groups = {}
  for _, placed in ipairs(placed_cells(tbl.head.rows)) do
    if placed.cell.col_span > 1 then
      placed.cell.attributes.scope = "colgroup"
      groups[placed.column] = true
    end
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = 1
    for _, placed in ipairs(placed_cells(body.body)) do
      local scope = placed.cell.row_span > 1 and "rowgroup" or "row"
      if placed.column == 1 then placed.cell.attributes.scope = scope end
    end
  end
  for _, placed in ipairs(all_cells(tbl)) do
    if placed.cell.col_span > 1 then placed.cell.alignment = "AlignCenter" end
    if groups[placed.column] then placed.cell.classes:insert("of-group") end
  end
end

-- "(0.774–0.845)" and the like stay on one line in a table, "COVID-19" and "X-ray" everywhere.
local function whole(s)
  return pandoc.Span(s, { class = "whole" })
end

local function whole_intervals(tbl)
  return tbl:walk({
    Str = function(s)
      if is_interval(s.text) then return whole(s) end
    end,
  })
end

local function whole_names(s)
  local text = s.text
  if text:match("%a+://") or text:match("^www%.") then return pandoc.Span(s, { class = "uri" }) end
  if #text < SHORT_NAME and text:match("^%W*%u+%-%w+%W*$") then return whole(s) end
end

-- An address that is a link already is marked as one.
local function address(l)
  if not l.classes:includes("uri") then return nil end
  l.content = l.content:walk({ Span = function(s) return s.classes:includes("uri") and s.content or nil end })
  return l
end

-- "p = 0.05" and "8 × 8" stay on one line. What is as it was is not returned: to take it back costs pandoc as much.
local function unbroken_relations(inlines)
  local changed
  for index = 2, #inlines - 1 do
    local sign = inlines[index]
    if sign.t == "Str" and RELATIONS[sign.text] and inlines[index - 1].t == "Space" and inlines[index + 1].t == "Space" then
      inlines[index - 1], inlines[index + 1] = pandoc.Str(NBSP), pandoc.Str(NBSP)
      changed = inlines
    end
  end
  return changed
end

-- In a table of many columns an interval may stand below its value.
local function loose_intervals(tbl)
  return tbl:walk({
    Str = function(s)
      local value, interval = s.text:match("^(.-)" .. NBSP .. "(%(.*)$")
      if value then return { pandoc.Str(value), pandoc.Space(), pandoc.Str(interval) } end
    end,
  })
end

-- Columns get widths by the letters of their longest cells, long cells less than in proportion as they have more lines.
local function shares_by_content(tbl)
  local shares, sum = {}, 0
  for _, placed in ipairs(all_cells(tbl)) do
    local at, text = placed.column, pandoc.utils.stringify(placed.cell.contents)
    if placed.cell.col_span == 1 then shares[at] = math.max(shares[at] or 1, 0.6 + utf8.len(text) ^ 0.5) end
  end
  for _, share in ipairs(shares) do sum = sum + share end
  for index, share in ipairs(shares) do shares[index] = share / sum end
  return shares
end

local function column_widths(tbl)
  local given = tbl.attributes["tbl-colwidths"] or ""
  local shares = given == "auto" and shares_by_content(tbl) or {}
  for share in given:gmatch("[%d.]+") do
    table.insert(shares, tonumber(share) / 100)
  end
  tbl.attributes["tbl-colwidths"] = nil
  for index, column in ipairs(tbl.colspecs) do
    tbl.colspecs[index] = { column[1], shares[index] } -- pandoc's own guess follows the dashes of the source
  end
end

local function table_block(tbl)
  local id, blocks = tbl.identifier, tbl.caption.long
  local letters, rows, intervals = letters_wide(tbl)
  local dense = letters > LINE
  if letters > DENSE_LINE then
    tbl = loose_intervals(tbl)
    letters = letters_wide(tbl)
  end
  if intervals then tbl = whole_intervals(tbl) end
  column_widths(tbl)
  head_cells(tbl)
  tbl.identifier = ""
  tbl.caption.long = {}
  local classes = "table"
  if rows <= SHORT_TABLE then classes = classes .. " together" end
  if dense then classes = classes .. " dense" end
  if letters > DENSE_LINE then classes = classes .. " breaking" end
  local scroll = pandoc.Div({ tbl }, pandoc.Attr("", { "scroll" }, { { "tabindex", "0" } }))
  if not id:match("^tbl%-") then
    return pandoc.Div({ scroll }, { class = classes }), false
  end
  scroll.attributes.role = "region"
  scroll.attributes["aria-labelledby"] = id .. "-caption"
  local text = pandoc.Plain(caption("tbl", number_of("tbl", id, tbl), blocks)[1].content)
  return {
    pandoc.RawBlock("html", ('<figure id="%s" class="%s"><figcaption id="%s-caption">'):format(id, classes, id)),
    text,
    pandoc.RawBlock("html", "</figcaption>"),
    scroll,
    pandoc.RawBlock("html", "</figure>"),
  }, false
end

-- $$ ... $$ {#eq-x}: pandoc leaves the id as text behind the equation.
local function equations(inlines)
  local result = pandoc.Inlines({})
  local index = 1
  while index <= #inlines do
    local item = inlines[index]
    if item.t == "Math" and item.mathtype == "DisplayMath" then
      local behind = inlines[index + 1] and inlines[index + 1].t == "Space" and 2 or 1
      local mark = inlines[index + behind]
      local id = mark and mark.t == "Str" and mark.text:match("^{#(eq%-[^}]+)}$")
      -- A wide equation scrolls on a small screen, so the keyboard has to reach it.
      local name = id and "Equation " .. counts.eq + 1 or "Equation"
      local formula = pandoc.Attr("", { "formula" }, { { "role", "group" }, { "aria-label", name }, { "tabindex", "0" } })
      local content = { pandoc.Span({ item }, formula) }
      if id then
        table.insert(content, pandoc.Span("(" .. number_of("eq", id) .. ")", { class = "equation-number" }))
        index = index + behind
      end
      result:insert(pandoc.Span(content, { id = id or "", class = "equation" }))
    else
      result:insert(item)
    end
    index = index + 1
  end
  return result
end

local function paragraph(p)
  for _, item in ipairs(p.content) do
    if item.t == "Math" and item.mathtype == "DisplayMath" then
      p.content = equations(p.content)
      return p
    end
  end
end

local function code(c)
  if utf8.len(c.text) <= SHORT_CODE then c.classes:insert("short") end
  return c
end

-- Commands are plain: no colours by kind of word, no link for each line.
local function code_block(c)
  return pandoc.CodeBlock(c.text)
end

-- Divs -------------------------------------------------------------------------------------------

local function callout(div, kind)
  local title = pandoc.Inlines(div.attributes.title or CALLOUTS[kind])
  if div.content[1] and div.content[1].t == "Header" then
    title = div.content:remove(1).content
  end
  return pandoc.Div({
    pandoc.Div({ pandoc.Plain(title) }, { class = "callout-title" }),
    pandoc.Div(div.content, { class = "callout-body" }),
  }, { id = div.identifier, class = "callout callout-" .. kind })
end

local function tabset(div)
  tabsets = tabsets + 1
  local tabs = {}
  for _, block in ipairs(div.content) do
    if block.t == "Header" then
      table.insert(tabs, { title = block.content, blocks = pandoc.Blocks({}) })
    elseif #tabs > 0 then
      tabs[#tabs].blocks:insert(block)
    end
  end
  local name = "tabset-" .. tabsets
  local input = '<input type="radio" name="%s" id="%s-%d"%s><label for="%s-%d">'
  local result = pandoc.Blocks({})
  for index, tab in ipairs(tabs) do
    local checked = index == 1 and " checked" or ""
    local title = pandoc.utils.stringify(tab.title)
    result:insert(pandoc.RawBlock("html", input:format(name, name, index, checked, name, index)))
    result:insert(pandoc.Plain(tab.title))
    result:insert(pandoc.RawBlock("html", "</label>"))
    result:insert(pandoc.Div(tab.blocks, { class = "tab", ["data-title"] = title }))
  end
  return pandoc.Div(result, { class = "tabset" })
end

local function layout(div)
  local columns = div.attributes["layout-ncol"]
  div.attributes["layout-ncol"] = nil
  div.classes:insert("layout")
  div.classes:insert("columns-" .. columns)
  return div
end

local function html_only(element)
  element.classes:insert(HTML_ONLY)
  return element
end

local function division(div)
  placed = placed or div.identifier == "refs"
  if div.classes:includes("content-visible") then return div:walk({ Figure = html_only, Table = html_only }) end
  for kind in pairs(CALLOUTS) do
    if div.classes:includes("callout-" .. kind) then return callout(div, kind) end
  end
  if div.classes:includes("panel-tabset") then return tabset(div) end
  if div.attributes["layout-ncol"] then return layout(div) end
end

-- References -------------------------------------------------------------------------------------

local function kind_of(id)
  local prefix = id:match("^(%a+)%-")
  return prefix and WORDS[prefix]
end

local function reference(citation)
  local number = numbers[citation.id] or fail("@" .. citation.id .. " refers to nothing that has a number")
  local text = number
  if #citation.prefix > 0 then
    text = pandoc.utils.stringify(citation.prefix) .. NBSP .. number
  elseif citation.mode ~= "SuppressAuthor" then
    text = kind_of(citation.id) .. NBSP .. number
  end
  return pandoc.Link(text, "#" .. citation.id, "", { class = "cross-reference" })
end

local function cite(c)
  if not kind_of(c.citations[1].id) then
    cited = true
    return nil
  end
  local result = pandoc.Inlines({})
  for index, citation in ipairs(c.citations) do
    if not kind_of(citation.id) then fail("@" .. citation.id .. " stands among references to figures or tables") end
    if index > 1 then result:extend({ pandoc.Str(","), pandoc.Space() }) end
    result:insert(reference(citation))
  end
  return result
end

-- The whole --------------------------------------------------------------------------------------

local function long_date(text, lang)
  local year, month = text:match("^(%d%d%d%d)%-(%d%d)$")
  if year and MONTHS[tonumber(month)] then return MONTHS[tonumber(month)] .. " " .. year end
  local day
  year, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  if not year or not MONTHS[tonumber(month)] then return text end
  local name, number = MONTHS[tonumber(month)], tonumber(day)
  if lang == "en" or lang == "en-US" then return ("%s %d, %s"):format(name, number, year) end
  return ("%d %s %s"):format(number, name, year)
end

-- The title, short enough for the head of a page.
local function running(title)
  if utf8.len(title) <= RUNNING_TITLE then return title end
  return title:sub(1, utf8.offset(title, RUNNING_TITLE) - 1):gsub("%s+%S*$", "") .. "\u{2009}…"
end

-- The template puts it into an attribute, for which pandoc leaves quotation marks as they are.
local function attribute(text)
  local signs = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
  return pandoc.MetaInlines({ pandoc.RawInline("html", (text:gsub('[&<>"]', signs))) })
end

local function note()
  noted = true
end

function Pandoc(doc)
  doc = doc:walk({ traverse = "topdown", Div = division, Header = header, Image = image, Code = code, CodeBlock = code_block, Figure = figure,
    Table = table_block, Para = paragraph, Plain = paragraph })
  doc = doc:walk({ Cite = cite, Link = address, Note = note, Str = whole_names, Inlines = unbroken_relations })
  if cited and not placed then
    doc.blocks:insert(pandoc.Header(2, "References", { id = "references", class = "unnumbered" }))
    doc.blocks:insert(pandoc.Div({}, { id = "refs" }))
  end
  if noted then -- pandoc sets them behind all else
    doc.blocks:insert(below_title(pandoc.Header(1, "Notes", { id = "notes", class = "unnumbered" })))
  end
  if doc.meta.date then
    local iso = pandoc.utils.stringify(doc.meta.date)
    doc.meta["date-iso"] = iso
    doc.meta.date = long_date(iso, doc.meta.lang and pandoc.utils.stringify(doc.meta.lang) or "en")
  end
  if doc.meta.title then
    doc.meta["running-title"] = attribute(running(pandoc.utils.stringify(doc.meta.title)))
  end
  return doc
end
