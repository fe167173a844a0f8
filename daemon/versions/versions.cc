// SPDX-License-Identifier: Apache-2.0
#include "daemon/versions/versions.h"

#include <ares.h>
#include <link.h>
#include <microhttpd.h>

#include <algorithm>
#include <map>
#include <span>

#include <boost/asio/version.hpp>
#include <boost/version.hpp>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <protozero/version.hpp>
#include <snappy-stubs-public.h>
#include <spdlog/version.h>

#include "probes/openpgp/rnp_library.h"
#include "runtime/build_id.h"

namespace canary::daemon {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string boost_version() {
  return dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100);
}

std::string asio_version() {
  int const asio = BOOST_ASIO_VERSION;
  return dotted(asio / 100'000, asio / 100 % 1'000, asio % 100);
}

// "" unless it is loaded.
std::string rnp_version() {
  auto const* const library = openpgp::loaded_rnp();
  return library == nullptr ? "" : library->version_string();
}

std::string hex(std::span<unsigned char const> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char const byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// An entry of the object's dynamic section as an address: glibc has relocated it, the vdso has not.
template <class T>
T const* dynamic_table(dl_phdr_info const& object, ElfW(Addr) address) {
  ElfW(Addr) const base = object.dlpi_addr;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the linker gives
  return reinterpret_cast<T const*>(address < base ? base + address : address);
}

// How many dynamic symbols there are, by the GNU hash table: the last chain's end.
std::size_t symbol_count(std::uint32_t const* hash) {
  std::uint32_t const buckets = hash[0], first = hash[1], bloom_words = hash[2];
  auto const* const bucket = hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < buckets; ++i) last = std::max(last, bucket[i]);
  if (last < first) return 0;
  auto const* const chain = bucket + buckets;
  while ((chain[last - first] & 1) == 0) ++last;
  return last + std::size_t{1};
}

// A function of Boost.Asio that the object defines for all to see; "" where there is none.
std::string exported_asio(dl_phdr_info const& object) {
  ElfW(Sym) const* symbols = nullptr;
  char const* names = nullptr;
  std::uint32_t const* hash = nullptr;
  for (auto const& segment : std::span{object.dlpi_phdr, object.dlpi_phnum}) {
    if (segment.p_type != PT_DYNAMIC) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the linker gives
    auto const* entry = reinterpret_cast<ElfW(Dyn) const*>(object.dlpi_addr + segment.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_SYMTAB) {
        symbols = dynamic_table<ElfW(Sym)>(object, entry->d_un.d_ptr);
      } else if (entry->d_tag == DT_STRTAB) {
        names = dynamic_table<char>(object, entry->d_un.d_ptr);
      } else if (entry->d_tag == DT_GNU_HASH) {
        hash = dynamic_table<std::uint32_t>(object, entry->d_un.d_ptr);
      }
    }
  }
  if (symbols == nullptr || names == nullptr || hash == nullptr) return {};
  for (auto const& symbol : std::span{symbols, symbol_count(hash)}) {
    std::string_view const name = names + symbol.st_name;
    bool const asio = name.starts_with("_ZN5boost4asio") || name.starts_with("_ZNK5boost4asio");
    if (asio && symbol.st_shndx != SHN_UNDEF) return std::string{name};
  }
  return {};
}

std::string basename_of(std::string_view file) {
  return std::string{file.substr(file.rfind('/') + 1)};
}

// The loaded object whose file is named so, or "".
std::string object_named(std::vector<LoadedObject> const& objects, std::string_view library) {
  for (auto const& object : objects) {
    if (split_library_name(object.file).name == library) return object.file;
  }
  return {};
}

std::string major_of(std::string_view version) {
  return std::string{version.substr(0, version.find('.'))};
}

}  // namespace

std::vector<LoadedObject> loaded_objects() {
  std::vector<LoadedObject> objects;
  auto const add = [](dl_phdr_info* object, std::size_t, void* into) {
    std::string file = object->dlpi_name;
    // The program's own Asio is the one that is meant to be there.
    std::string asio = file.empty() ? "" : exported_asio(*object);
    if (file.empty()) file = "canaryd";
    static_cast<std::vector<LoadedObject>*>(into)->push_back(
        {std::move(file), hex(runtime::build_id_of(*object)), std::move(asio)});
    return 0;
  };
  ::dl_iterate_phdr(add, &objects);
  return objects;
}

LibraryName split_library_name(std::string_view file) {
  std::string const base = basename_of(file);
  auto const suffix = base.find(".so");
  if (suffix == std::string::npos) return {base, ""};
  std::string version = base.substr(suffix + 3);
  if (version.starts_with('.')) version.erase(0, 1);
  return {base.substr(0, suffix), version};
}

std::vector<Component> components(std::vector<LoadedObject> const& objects) {
  auto const object = [&objects](std::string_view name) { return object_named(objects, name); };
  std::string const rnp = object("librnp");
  return {
      {"Boost.Asio", asio_version(), "", ""},
      {"Boost.Beast", boost_version(), "", ""},
      {"Boost.JSON", boost_version(), "", object("libboost_json")},
      {"Boost.URL", boost_version(), "", object("libboost_url")},
      {"OpenSSL", OPENSSL_FULL_VERSION_STR, ::OpenSSL_version(OPENSSL_FULL_VERSION_STRING),
       object("libssl")},
      {"c-ares", ARES_VERSION_STR, ::ares_version(nullptr), object("libcares")},
      {"libmicrohttpd",
       dotted(MHD_VERSION >> 24 & 15, MHD_VERSION >> 16 & 255,
              (MHD_VERSION >> 12 & 15) * 10 + (MHD_VERSION >> 8 & 15)),
       ::MHD_get_version(), object("libmicrohttpd")},
      {"spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH), "",
       object("libspdlog")},
      {"RE2", "", "", object("libre2")},
      {"protozero", PROTOZERO_VERSION_STRING, "", ""},
      {"snappy", dotted(SNAPPY_MAJOR, SNAPPY_MINOR, SNAPPY_PATCHLEVEL), "", object("libsnappy")},
      {"librnp", "", rnp_version(), rnp.empty() ? "not loaded" : rnp},
      {"ncurses", "", "", object("libncursesw")},
      {"yaml-cpp", "", "", object("libyaml-cpp")},
      {"prometheus-cpp", "", "", object("libprometheus-cpp-core")},
      {"glibc", dotted(__GLIBC__, __GLIBC_MINOR__, 0), ::gnu_get_libc_version(), object("libc")},
  };
}

std::vector<std::string> conflicts(std::vector<Component> const& components,
                                   std::vector<LoadedObject> const& objects) {
  std::vector<std::string> found;
  std::map<std::string, std::string> first;
  for (auto const& object : objects) {
    if (!object.asio.empty()) {
      found.push_back("canaryd has Boost.Asio " + asio_version() + " built in, but " + object.file +
                      " brings its own (" + object.asio + ")");
    }
    auto const library = split_library_name(object.file);
    if (library.version.empty()) continue;
    auto const [known, fresh] = first.emplace(library.name, object.file);
    if (!fresh && split_library_name(known->second).version != library.version) {
      found.push_back("two versions of " + library.name + " are loaded: " + known->second +
                      " and " + object.file);
    }
    if (library.name.starts_with("libboost_") && library.version != boost_version()) {
      found.push_back("compiled against Boost " + boost_version() + ", but " + object.file +
                      " is loaded");
    }
  }
  for (auto const& component : components) {
    if (component.compiled.empty() || component.loaded.empty()) continue;
    if (major_of(component.compiled) != major_of(component.loaded)) {
      found.push_back("compiled against " + component.name + " " + component.compiled + ", but " +
                      component.loaded + " is loaded");
    }
  }
  return found;
}

std::string version_text(std::vector<Component> const& components,
                         std::vector<LoadedObject> const& objects) {
  std::string text = "canaryd " CANARY_VERSION "\n";
  auto const padded = [](std::string value, std::size_t width) {
    if (value.size() < width) value.append(width - value.size(), ' ');
    return value + "  ";
  };
  if (!objects.empty() && !objects.front().build_id.empty()) {
    text += "build id " + objects.front().build_id + "\n";
  }
  text += "compiler " __VERSION__ "\n\n";
  text += padded("library", 14) + padded("compiled with", 13) + padded("loaded", 8) + "from\n";
  for (auto const& component : components) {
    text += padded(component.name, 14) +
            padded(component.compiled.empty() ? "-" : component.compiled, 13) +
            padded(component.loaded.empty() ? "-" : component.loaded, 8) +
            (component.object.empty() ? "the program itself" : component.object) + "\n";
  }
  return text;
}

}  // namespace canary::daemon
