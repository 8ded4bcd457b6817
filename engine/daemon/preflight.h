// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the parts can't know of each other and yet must fit before anything is dialled: a job's metrics exist,
// its personalities have voices, its destination is allowed, its numbers suffice.
#pragma once

#include <optional>
#include <string>

#include "engine/daemon/config.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// Everything in the catalogue that this engine has to be able to do: voices, noise beds, spoken texts,
/// header fields, names of metrics.
void check_catalog(const scheduler::Catalog& catalog, const Config& config, scheduler::Problems& problems);

/// The job against its trunk: destination allowed, caller numbers enough, thresholds known.
void check_job(const scheduler::Job& job, const scheduler::Catalog& catalog, const Config& config,
               scheduler::Problems& problems);

/// For a job that was refused: its thresholds' names, so that all problems are told at once. Silent about a
/// file that can't be read, which has been told already.
void check_threshold_names(const std::filesystem::path& job_file, scheduler::Problems& problems);
void check_threshold_names(const std::string& job_text, const std::string& name,
                           scheduler::Problems& problems);

struct Destination {
  std::string request_uri;
  std::string proxy;
};
/// Where a dial target goes over a trunk: a SIP URI as it is; a number to the trunk's proxy. nullopt: a
/// number, and the trunk has no proxy.
std::optional<Destination> destination_of(const std::string& dial_target, const scheduler::Trunk& trunk);

/// The allow-list as the SIP endpoint sees it: numbers have become URIs at the trunk's proxy.
std::vector<std::string> endpoint_allow_list(const Config& config, const std::string& endpoint);

/// `host:port` of a SIP URI, without user and parameters.
std::string address_of_uri(const std::string& uri);

/// Host of a SIP URI, without port; empty when it is none.
std::string host_of_uri(const std::string& uri);

}  // namespace linecheck::engine
