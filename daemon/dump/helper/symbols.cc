// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/symbols.h"

#include <cxxabi.h>
#include <dwarf.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <elfutils/libdw.h>

#include "daemon/text/source_path.h"

namespace canary::dump {
namespace {

std::string demangled(char const* name) {
  if (name == nullptr) return {};
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> const text{
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
  std::string result{status == 0 && text ? text.get() : name};
  // Code of a coroutine's body is in clones of it: ".resume", ".cold".
  if (status != 0) {
    std::string const whole{name};
    auto const dot = whole.find('.');
    if (whole.starts_with("_Z") && dot != std::string::npos) {
      return demangled(whole.substr(0, dot).c_str()) + " [" + whole.substr(dot + 1) + "]";
    }
  }
  return result;
}

std::string directory_of_unit(Dwarf_Die* unit) {
  Dwarf_Attribute attribute;
  char const* const text = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
  return text == nullptr ? std::string{} : std::string{text} + "/";
}

// Paths are noted relative to the project; libdw puts the build's directory before them.
std::string shown_path(char const* path, std::string const& directory) {
  if (path == nullptr) return {};
  std::string_view text{path};
  if (!directory.empty() && text.starts_with(directory)) text.remove_prefix(directory.size());
  if (text.starts_with("./")) text.remove_prefix(2);
  std::string const normal = std::filesystem::path{text}.lexically_normal().string();
  return std::string{source_path(normal)};
}

// The unit of the code; by the table of ranges, else (Clang leaves it out) one after another.
Dwarf_Die* unit_at(Dwfl_Module* module, Dwarf_Addr code, Dwarf_Addr& bias) {
  if (Dwarf_Die* const unit = dwfl_module_addrdie(module, code, &bias)) return unit;
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, code - bias) == 1) return unit;
  }
  return nullptr;
}

std::string function_of(Dwarf_Die* scope) {
  for (unsigned const name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    Dwarf_Attribute attribute;
    if (char const* const text = dwarf_formstring(dwarf_attr_integrate(scope, name, &attribute))) {
      return demangled(text);
    }
  }
  return demangled(dwarf_diename(scope));
}

struct Line {
  std::string file;
  std::uint32_t number = 0;
};

Line line_at(Dwfl_Module* module, Dwarf_Die* unit, Dwarf_Addr code, Dwarf_Addr bias,
             std::string const& directory) {
  int number = 0;
  if (Dwfl_Line* const line = dwfl_module_getsrc(module, code)) {
    char const* const file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    return {shown_path(file, directory), static_cast<std::uint32_t>(number)};
  }
  if (Dwarf_Line* const line = dwarf_getsrc_die(unit, code - bias)) {
    dwarf_lineno(line, &number);
    return {shown_path(dwarf_linesrc(line, nullptr, nullptr), directory),
            static_cast<std::uint32_t>(number)};
  }
  return {};
}

// Where the inlined function was called.
Line call_of(Dwarf_Die* unit, Dwarf_Die* scope, std::string const& directory) {
  Dwarf_Attribute attribute;
  Dwarf_Word file = 0, line = 0;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (dwarf_formudata(dwarf_attr(scope, DW_AT_call_file, &attribute), &file) != 0 ||
      dwarf_formudata(dwarf_attr(scope, DW_AT_call_line, &attribute), &line) != 0 ||
      dwarf_getsrcfiles(unit, &files, &count) != 0) {
    return {};
  }
  return {shown_path(dwarf_filesrc(files, file, nullptr, nullptr), directory),
          static_cast<std::uint32_t>(line)};
}

// Frames of what is inlined here; `line` becomes where the outermost of them was called.
void add_inlined(std::vector<NativeFrame>& into, NativeFrame const& base, Dwarf_Die* unit,
                 Dwarf_Addr code, Line& line, std::string const& directory) {
  // The first call follows the abstract definition of what is inlined, the second what encloses it
  // here.
  Dwarf_Die* innermost = nullptr;
  if (dwarf_getscopes(unit, code, &innermost) <= 0) return;
  std::unique_ptr<Dwarf_Die, decltype(&std::free)> const first{innermost, &std::free};
  Dwarf_Die* scopes = nullptr;
  int const count = dwarf_getscopes_die(innermost, &scopes);
  std::unique_ptr<Dwarf_Die, decltype(&std::free)> const owned{scopes, &std::free};
  for (int i = 0; i < count; ++i) {
    if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine) continue;
    NativeFrame frame = base;
    frame.inlined = true;
    frame.function = function_of(&scopes[i]);
    frame.file = line.file;
    frame.line = line.number;
    into.push_back(std::move(frame));
    line = call_of(unit, &scopes[i], directory);
  }
}

}  // namespace

std::vector<NativeFrame> symbols_at(Dwfl* space, Dwarf_Addr code) {
  std::vector<NativeFrame> result;
  NativeFrame frame{.address = code};
  Dwfl_Module* const module = dwfl_addrmodule(space, code);
  if (module == nullptr) {
    result.push_back(std::move(frame));
    return result;
  }
  Dwarf_Addr start = 0;
  char const* const name =
      dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
  frame.module = name == nullptr ? "" : name;
  frame.offset = code - start;
  GElf_Off offset = 0;
  GElf_Sym symbol;
  frame.function =
      demangled(dwfl_module_addrinfo(module, code, &offset, &symbol, nullptr, nullptr, nullptr));
  Dwarf_Addr bias = 0;
  if (Dwarf_Die* const unit = unit_at(module, code, bias)) {
    std::string const directory = directory_of_unit(unit);
    Line line = line_at(module, unit, code, bias, directory);
    add_inlined(result, frame, unit, code - bias, line, directory);
    frame.file = line.file;
    frame.line = line.number;
  }
  result.push_back(std::move(frame));
  return result;
}

bool is_linkage_stub(Dwfl* space, Dwarf_Addr code) {
  Dwfl_Module* const module = dwfl_addrmodule(space, code);
  if (module == nullptr) return false;
  Dwarf_Addr address = code, bias = 0;
  Elf_Scn* const section = dwfl_module_address_section(module, &address, &bias);
  Elf* const elf = dwfl_module_getelf(module, &bias);
  GElf_Shdr header;
  std::size_t names = 0;
  if (section == nullptr || elf == nullptr || gelf_getshdr(section, &header) == nullptr ||
      elf_getshdrstrndx(elf, &names) != 0) {
    return false;
  }
  char const* const name = elf_strptr(elf, names, header.sh_name);
  return name != nullptr && std::string_view{name}.starts_with(".plt");
}

}  // namespace canary::dump
