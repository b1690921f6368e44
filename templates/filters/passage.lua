-- The author's words as a closed block: parsed by themselves, checked element by element, and written again as
-- markdown of our subset, so that nothing in them reaches the text around. Ids and notes begin with the passage's name.

local ALLOWED = pandoc.List({ "Para", "Plain", "Header", "BulletList", "OrderedList", "DefinitionList", "BlockQuote",
  "CodeBlock", "Figure", "LineBlock", "HorizontalRule", "Table", "Div", "Str", "Emph", "Strong", "Strikeout", "Superscript",
  "Subscript", "Quoted", "Cite", "Code", "Space", "SoftBreak", "LineBreak", "Math", "Link", "Note", "Span" })
local INSTEAD = {
  Image = { "an image stands in a paragraph of its own, with a caption", "![caption](figures/name.png){fig-alt=\"words\"}" },
}
local CALLOUTS = pandoc.List({ "callout-note", "callout-warning", "callout-important", "callout-tip", "callout-caution" })
local TABS = "panel-tabset"
local NONE = pandoc.List({})
local MAY_HAVE = { -- keys and classes
  Header = { NONE, pandoc.List({ "unnumbered", "unlisted" }) },
  Code = { NONE, NONE },
  Link = { NONE, pandoc.List({ "uri", "email" }) },
  Span = { NONE, pandoc.List({ "given" }) },
  Figure = { pandoc.List({ "src", "fig-alt", "width" }), NONE },
  Table = { pandoc.List({ "tbl-colwidths" }), NONE },
  Div = { pandoc.List({ "title" }), CALLOUTS .. { TABS } },
}
local KINDS = pandoc.List({ "fig", "tbl", "sec", "eq" })
local ADDRESSES = pandoc.List({ "^https?://%S+$", "^mailto:%S+$", "^#%S+$" })
local DEEPEST = 5
local SAFE = "^[%w\128-\255,;!?/%%().:-]*$"
local READER = "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks"
local WRITER = "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-smart"

local name, section -- of the passage, and the heading of the section that it stands in
local unnumbered -- whether its headings are
local title -- the heading of the section, where the passage has it
local ids = {} -- the author's ids: those that the report has

local function refuse(needle, message, hint)
  error("REFUSED\t" .. needle .. "\t" .. message .. "\t" .. (hint or "") .. "\t", 0)
end

local function raw(text)
  return pandoc.RawInline("markdown", text)
end

local function escaped(text)
  return (text:gsub("%p", "\\%0"))
end

local function encoded(letter)
  return ("%%%02X"):format(letter:byte())
end

-- Checks -----------------------------------------------------------------------------------------

local function first_word_of(element)
  return pandoc.utils.stringify(element):match("%S+") or ""
end

local function only(element, keys, classes)
  for _, class in ipairs(element.classes) do
    if not classes:includes(class) then refuse("." .. class, "." .. class .. " is not part of the subset") end
  end
  for key in pairs(element.attributes) do
    if not keys:includes(key) then refuse(key .. "=", key .. "= is not part of the subset") end
  end
end

local function understood(math)
  local html
  local said = pandoc.log.silence(function()
    html = pandoc.write(pandoc.Pandoc({ pandoc.Para({ math }) }), "html5", { html_math_method = "mathml" })
  end)
  if not html:match("<math") then
    local why = said[1] and said[1].message:match("(unexpected [^\n]*)") or "no MathML comes of it"
    refuse(math.text, "the equation " .. math.text .. " is not understood: " .. why)
  end
end

local function check(element)
  local kind = element.t
  if not ALLOWED:includes(kind) then
    local said = INSTEAD[kind] or { kind .. " is not part of the subset" }
    refuse(kind == "Image" and element.src or first_word_of(element), said[1], said[2])
  end
  local may = MAY_HAVE[kind]
  if may then only(element, may[1], may[2]) end
  if kind == "Div" and not element.classes[1] then refuse(":::", "a div of no kind", "::: {.callout-note}") end
  if (kind == "Div" or kind == "Span" or kind == "Code" or kind == "Link") and element.identifier ~= "" then
    refuse("#" .. element.identifier, "an id stands with a heading, a table or an equation only")
  end
  if kind == "CodeBlock" and (#element.classes > 1 or #element.attributes > 0 or element.identifier ~= "") then
    refuse("```", "a code block has a language and nothing else")
  end
  if kind == "CodeBlock" and element.classes[1] and not element.classes[1]:match("^[%w_+-]+$") then
    refuse(element.classes[1], element.classes[1] .. " is no language of code")
  end
  if kind == "Math" then understood(element) end
  local within = kind == "Note" and pandoc.utils.stringify(element.content):match("%[%^[^%]%s]+%]")
  if within then refuse(within, "a note within a note: " .. within) end
end

-- What comes before the heading of the first tab would be in none of them.
local function without_tabs(div)
  if not div.content[1] or div.content[1].t ~= "Header" then
    refuse(TABS, "a tabset does not begin with a heading", "each heading in it begins a tab")
  end
  return div.content:filter(function(block) return block.t ~= "Header" end)
end

local function no_headings_within(blocks)
  for _, block in ipairs(blocks) do
    if block.t ~= "Header" then
      pandoc.Blocks({ block }):walk({
        Div = function(d) -- the first heading of a callout is its title
          if d.classes:includes(TABS) then
            d.content = without_tabs(d)
          elseif d.content[1] and d.content[1].t == "Header" then
            d.content:remove(1)
          end
          return d
        end,
      }):walk({
        Header = function(h)
          refuse(first_word_of(h), "a heading stands within something else", "headings stand by themselves")
        end,
      })
    end
  end
end

-- Ids and what refers to them --------------------------------------------------------------------

local function own(id)
  local kind, rest = id:match("^(%a+)%-(.+)$")
  if kind and KINDS:includes(kind) then return ("%s-%s-%s"):format(kind, name, rest) end
  return name .. "-" .. id
end

local function declare(id, kind)
  local said = id:match("^(%a+)%-")
  if KINDS:includes(said) and said ~= kind then
    refuse("#" .. id, "#" .. id .. " is not what its id says", "an id such as #" .. id:gsub("^%a+", kind))
  end
  if not id:match("^[%w_\128-\255][%w_.\128-\255-]*$") then refuse("#" .. id, "#" .. id .. " is no id") end
  if ids[id] then refuse("#" .. id, "the id #" .. id .. " is given twice", "give one of them another id") end
  ids[id] = own(id)
end

local function plain_title(h)
  return pandoc.utils.stringify(h):lower():gsub("^[%d%p%s]+", ""):gsub("[%p%s]+$", "")
end

-- Levels begin below the section's and leave none out; a first heading that repeats the section's is left out. Where the
-- section has no name but that of its first heading, that is taken.
local function headings(blocks)
  local first = blocks[1]
  if section == "" then
    if not first or first.t ~= "Header" then
      refuse("", "a section begins with its heading", "# " .. name:sub(1, 1):upper() .. name:sub(2):gsub("-", " "))
    end
    ids[first.identifier] = "sec-" .. name
    title = blocks:remove(1)
  elseif first and first.t == "Header" and plain_title(first) == section:lower() then
    blocks:remove(1)
  end
  local top = DEEPEST
  for _, block in ipairs(blocks) do
    if block.t == "Header" then top = math.min(top, block.level) end
  end
  local above = 1
  for _, block in ipairs(blocks) do
    if block.t == "Header" then
      block.level = math.min(block.level + 2 - top, above + 1, DEEPEST)
      above = block.level
      declare(block.identifier, "sec")
    end
  end
end

-- The id behind an equation is text to pandoc.
local function equation_ids(inlines)
  for index, item in ipairs(inlines) do
    local behind = inlines[index + 1] and inlines[index + 1].t == "Space" and 2 or 1
    local mark = inlines[index + behind]
    local id = mark and mark.t == "Str" and mark.text:match("^{#(eq%-[^}]+)}$")
    if id and item.t == "Math" and item.mathtype == "DisplayMath" then
      declare(id, "eq")
      inlines[index + behind] = raw("{#" .. ids[id] .. "}")
    end
  end
  return inlines
end

-- What is said of an image is kept with its figure.
local function picture(f)
  local image = #f.content == 1 and f.content[1].content and f.content[1].content[1]
  if not image or image.t ~= "Image" or #f.content[1].content > 1 then return nil end
  if image.title ~= "" then refuse(image.src, "a title is no part of an image", "take it away; the caption is what is printed") end
  if f.identifier == "" then f.identifier = image.identifier end
  for key, value in pairs(image.attributes) do f.attributes[key] = value end
  for _, class in ipairs(image.classes) do f.classes:insert(class) end
  local width = f.attributes.width
  if width and not width:match("^%d+%%$") then refuse(width, "the width " .. width .. " is no share of the text's", 'width="60%"') end
  if not image.src:match("^figures/[%w_-][%w_.-]*$") then refuse(image.src, "the image " .. image.src .. " does not lie in figures/") end
  if not (f.attributes["fig-alt"] or ""):match("%S") then refuse(image.src, "the image " .. image.src .. " has no alternative text") end
  f.attributes.src = "figures/own-" .. image.src:match("^figures/(.*)$")
  f.content = {}
  return f
end

local function figure_id(f)
  if f.identifier ~= "" then declare(f.identifier, "fig") end
end

local function table_id(t)
  if t.identifier ~= "" then declare(t.identifier, "tbl") end
end

local function cite(c)
  for _, citation in ipairs(c.citations) do
    if not citation.id:match("^[%w_\128-\255]") then refuse("@" .. citation.id, "@" .. citation.id .. " is no key") end
    citation.id = ids[citation.id] or citation.id
  end
  return c
end

local function link(l)
  local known = ADDRESSES:find_if(function(pattern) return l.target:match(pattern) end)
  if not known then
    refuse(l.target, "the link " .. l.target:sub(1, 60) .. " leads out of the report", "use https:// or #id")
  end
  local id = l.target:match("^#(.+)$")
  local address = id and "#" .. (ids[id] or id) or l.target
  address = address:gsub("[%s%c<>\"`{}|\\^$()%[%]]", encoded):gsub("([^%w@./])@", "%1%%40")
  if not id and address == l.target and pandoc.utils.stringify(l.content) == address then return raw("<" .. address .. ">") end
  return pandoc.Link(l.content, address, l.title)
end

-- Written again ----------------------------------------------------------------------------------

-- What could be read as markup is escaped, also where pandoc's own writer would not.
local function str(s)
  local plain = s.text:match(SAFE) and not s.text:match("^[-:.]") and not s.text:match("[-:.][-:.]")
  plain = plain or s.text:match("^[.:)]$")
  if not plain then return raw(escaped(s.text)) end
end

local function numbers_an_item(word)
  local number = word:lower():match("^%(?(%w+)[.)]$")
  return number and (number:match("^%d+$") or number:match("^%a$") or number:match("^[ivxlcdm]+$"))
end

-- A number or letter at the beginning of a line is no item of a list.
local function line_beginnings(inlines)
  for index, item in ipairs(inlines) do
    local before = inlines[index - 1]
    local begins = not before or before.t == "SoftBreak" or before.t == "LineBreak"
    if begins and item.t == "Str" and numbers_an_item(item.text) then
      inlines[index] = raw(escaped(item.text))
    end
  end
  return inlines
end

local function header(h)
  h.identifier = ids[h.identifier] or "" -- none for the title of a callout or tab
  if unnumbered and h.identifier ~= "" and not h.classes:includes("unnumbered") then h.classes:insert("unnumbered") end
  return h
end

-- A title as the first heading is escaped like all text.
local function callout(div)
  if div.attributes.title then
    div.content:insert(1, pandoc.Header(2, pandoc.Inlines(div.attributes.title)))
    div.attributes.title = nil
  end
  return div
end

-- Paragraphs of a definition are set apart, or they become one.
local function definitions(list)
  for _, item in ipairs(list.content) do
    for _, blocks in ipairs(item[2]) do
      if #blocks > 1 and blocks[1].t == "Plain" then blocks[1] = pandoc.Para(blocks[1].content) end
    end
  end
  return list
end

local function numbered(list)
  if list.listAttributes.style == "Example" then list.listAttributes.style = "Decimal" end
  return list
end

local function rule()
  return pandoc.RawBlock("markdown", "* * *") -- of dashes it could begin a table
end

local function code_block(c)
  local fence = "```"
  for run in c.text:gmatch("`+") do
    if #run >= #fence then fence = run .. "`" end
  end
  local language = c.classes[1] and " {." .. c.classes[1] .. "}" or ""
  return pandoc.RawBlock("markdown", fence .. language .. "\n" .. c.text .. "\n" .. fence)
end

local function written(blocks)
  return pandoc.write(pandoc.Pandoc(blocks), WRITER, { wrap_text = "preserve" })
end

local function figure_block(f)
  local attributes = f.identifier ~= "" and { "#" .. ids[f.identifier] } or {}
  local alt = f.attributes["fig-alt"]:gsub("%s+", " "):gsub('[\\`*_{}%[%]<>#|~^$@"&]', "\\%0")
  table.insert(attributes, ('fig-alt="%s"'):format(alt))
  if f.attributes.width then table.insert(attributes, ('width="%s"'):format(f.attributes.width)) end
  local caption = written({ pandoc.Plain(f.caption.long[1].content) }):gsub("%s+", " "):gsub(" $", "")
  -- The writer sets raw blocks close together, and a figure stands alone.
  return pandoc.RawBlock("markdown", ("\n![%s](%s){%s}\n"):format(caption, f.attributes.src, table.concat(attributes, " ")))
end

local function table_block(t)
  local attributes = t.identifier ~= "" and { "#" .. ids[t.identifier] } or {}
  local widths = t.attributes["tbl-colwidths"]
  if widths then table.insert(attributes, ('tbl-colwidths="%s"'):format(widths:gsub("[^%d%[%],.]", ""))) end
  for index, column in ipairs(t.colspecs) do t.colspecs[index] = { column[1], nil } end
  if #attributes > 0 then
    local caption = t.caption.long[1] and t.caption.long[1].content or pandoc.Inlines({})
    if #caption > 0 then caption:insert(pandoc.Space()) end
    caption:insert(raw("{" .. table.concat(attributes, " ") .. "}"))
    t.caption.long = { pandoc.Plain(caption) }
  end
  t.attr = {}
  return t
end

local function with_notes(blocks)
  local notes = {}
  blocks = blocks:walk({
    Note = function(n)
      local mark = ("[^%s-%d]"):format(name, #notes + 1)
      local text = written(n.content):gsub("\n+$", ""):gsub("\n([^\n])", "\n    %1")
      local begin = n.content[1] and n.content[1].t == "Para" and ": " or ":\n\n    "
      table.insert(notes, mark .. begin .. text)
      return raw(mark)
    end,
  })
  local text = written(blocks):gsub("^\n+", ""):gsub("\n+$", "")
  return table.concat({ text, table.unpack(notes) }, "\n\n")
end

local function again(text, blocks)
  local read = pandoc.read(text, READER)
  local div = read.blocks[1]
  local function letters(of)
    local plain = of:walk({
      Cite = function() return {} end,
      Image = function() return {} end,
      Str = function(s) if s.text:match("^{#eq%-[^}]+}$") then return {} end end,
    })
    return (pandoc.utils.stringify(plain):gsub("%s", ""):gsub("\u{a0}", ""))
  end
  local closed = #read.blocks == 1 and div.t == "Div" and div.classes:includes("author") and not next(read.meta)
  if not closed or letters(div.content) ~= letters(blocks) then
    refuse("", "the text cannot be set as it is: its markup is ambiguous", "escape the signs that are meant as such")
  end
end

-- The section's heading, which stands above the block.
local function above(title)
  title:walk({ Note = function() refuse(first_word_of(title), "a heading has no note") end })
  local words = title.content:walk({ Cite = cite }):walk({ Link = link }):walk({ Str = str })
  local numbered_or_not = title.classes:filter(function(class) return class == "unnumbered" end)
  return written({ pandoc.Header(1, words, pandoc.Attr("sec-" .. name, numbered_or_not)) }) .. "\n"
end

function Pandoc(doc)
  name, section = pandoc.utils.stringify(doc.meta.passage), pandoc.utils.stringify(doc.meta.section)
  unnumbered = doc.meta.unnumbered
  local blocks = doc.blocks:walk({ Figure = picture })
  blocks:walk({ Block = check, Inline = check })
  no_headings_within(blocks)
  headings(blocks)
  blocks:walk({ Table = table_id, Figure = figure_id })
  blocks = blocks:walk({ Inlines = equation_ids })
  blocks = blocks:walk({ Cite = cite, OrderedList = numbered, Div = callout, DefinitionList = definitions })
  local whole = blocks
  blocks = blocks:walk({ Inlines = line_beginnings })
  blocks = blocks:walk({ Link = link })
  blocks = blocks:walk({
    Str = str, Header = header, CodeBlock = code_block, Table = table_block, Figure = figure_block, HorizontalRule = rule,
  })
  local text = with_notes(blocks)
  local fence = ":::"
  for run in ("\n" .. text):gmatch("\n *(:::+)") do
    if #run >= #fence then fence = run .. ":" end
  end
  text = fence .. " {.author}\n" .. text .. "\n" .. fence
  again(text, whole)
  if doc.meta.alone then text = above(title or pandoc.Header(1, section)) .. text end
  return pandoc.Pandoc({ pandoc.RawBlock("markdown", text) })
end
