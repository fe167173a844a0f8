// SPDX-License-Identifier: Apache-2.0

// Decodes the manifests strictly, by Kubernetes' and kustomize's own types: a field that there is
// not, one in other letters, or one that is there twice, is refused. And what the pieces say of each other must agree.
//
// usage: kubernetes FOLDER RULES_FILE
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

var wrong int

func complain(format string, arguments ...any) {
	wrong++
	fmt.Printf(format+"\n", arguments...)
}

func read(folder, file string, into any) {
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err == nil {
		text, err = yaml.YAMLToJSONStrict(text)
	}
	var unknown []error
	if err == nil {
		unknown, err = json.UnmarshalStrict(text, into)
	}
	if err != nil {
		complain("%s: %v", file, err)
	}
	for _, each := range unknown {
		complain("%s: %v", file, each)
	}
}

// One environment variable of a container.
func variable(container corev1.Container, name string) corev1.EnvVar {
	for _, each := range container.Env {
		if each.Name == name {
			return each
		}
	}
	complain("the container has no variable %s", name)
	return corev1.EnvVar{}
}

func checkShards(set appsv1.StatefulSet, container corev1.Container) {
	shards := variable(container, "SHARDS").Value
	if set.Spec.Replicas == nil || shards != strconv.Itoa(int(*set.Spec.Replicas)) {
		complain("SHARDS is %q, which is not the number of replicas", shards)
	}
	index := variable(container, "POD_INDEX").ValueFrom
	if index == nil || index.FieldRef == nil ||
		index.FieldRef.FieldPath != "metadata.labels['apps.kubernetes.io/pod-index']" {
		complain("POD_INDEX is not the pod's index")
	}
	found := false
	for _, argument := range container.Args {
		found = found || argument == "--shard=$(POD_INDEX)/$(SHARDS)"
	}
	if !found {
		complain("the container is not told its shard")
	}
}

func checkProbes(container corev1.Container) {
	for path, probe := range map[string]*corev1.Probe{
		"/-/live": container.LivenessProbe, "/-/ready": container.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path ||
			probe.HTTPGet.Port != intstr.FromString("metrics") {
			complain("no health check asks %s", path)
		}
	}
}

// What it may write, and what a hostile repository could make of it.
func checkConfinement(pod corev1.PodSpec, container corev1.Container) {
	own := container.SecurityContext
	if own == nil || own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem ||
		own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation ||
		own.Capabilities == nil || len(own.Capabilities.Drop) != 1 ||
		own.Capabilities.Drop[0] != "ALL" {
		complain("the container is not confined")
	}
	if pod.SecurityContext == nil || pod.SecurityContext.RunAsNonRoot == nil ||
		!*pod.SecurityContext.RunAsNonRoot {
		complain("the pod may run as root")
	}
	if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
		complain("the container has no limit of memory, or asks for no CPU")
	}
	if !container.Resources.Limits.Cpu().IsZero() {
		complain("the container has a quota of CPU, which stops it as a whole")
	}
}

func checkMounts(set appsv1.StatefulSet, container corev1.Container, config string) {
	volumes := map[string]bool{}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		volumes[claim.Name] = true
	}
	for _, volume := range set.Spec.Template.Spec.Volumes {
		volumes[volume.Name] = true
		if volume.ConfigMap != nil && volume.ConfigMap.Name != config {
			complain("volume %s is of %s, not of %s", volume.Name, volume.ConfigMap.Name, config)
		}
	}
	for _, mount := range container.VolumeMounts {
		if !volumes[mount.Name] {
			complain("%s is mounted, and there is no such volume", mount.Name)
		}
	}
}

func main() {
	folder := os.Args[1]
	var kustomization types.Kustomization
	var namespace corev1.Namespace
	var service corev1.Service
	var set appsv1.StatefulSet
	var policy networkingv1.NetworkPolicy
	var budget policyv1.PodDisruptionBudget
	resources := map[string]any{"namespace.yaml": &namespace, "service.yaml": &service,
		"statefulset.yaml": &set, "networkpolicy.yaml": &policy, "disruption.yaml": &budget}
	read(folder, "kustomization.yaml", &kustomization)
	for _, file := range kustomization.Resources {
		into, known := resources[file]
		if !known {
			complain("kustomization.yaml names %s, which this test does not know", file)
			continue
		}
		read(folder, file, into)
		delete(resources, file)
	}
	for file := range resources {
		complain("kustomization.yaml does not name %s", file)
	}
	containers := set.Spec.Template.Spec.Containers
	if wrong > 0 || len(containers) != 1 || len(kustomization.ConfigMapGenerator) != 1 {
		complain("the manifests are not what they should be")
		os.Exit(1)
	}
	container := containers[0]
	checkShards(set, container)
	checkProbes(container)
	checkConfinement(set.Spec.Template.Spec, container)
	checkMounts(set, container, kustomization.ConfigMapGenerator[0].Name)
	if set.Spec.ServiceName != service.Name {
		complain("the pods' service is %s, not %s", set.Spec.ServiceName, service.Name)
	}
	if !service.Spec.PublishNotReadyAddresses {
		complain("a shard that is not ready would not be scraped")
	}
	checkOperator(filepath.Join(folder, "operator"), os.Args[2], service, int(*set.Spec.Replicas))
	if len(policy.Spec.PolicyTypes) != 2 {
		complain("the policy is not about both directions")
	}
	if wrong > 0 {
		os.Exit(1)
	}
	fmt.Println("all of them decode strictly, and agree")
}
