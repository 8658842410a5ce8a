package io.gatun.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureRulesTest {
  private static final JavaClasses GATUN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("/tests/"))
          .importPackages("io.gatun");

  @Test
  void bindings_tensor_model_engine_are_a_straight_line() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("bindings")
        .definedBy("io.gatun.bindings..")
        .layer("tensor")
        .definedBy("io.gatun.tensor..")
        .layer("model")
        .definedBy("io.gatun.model..")
        .layer("engine")
        .definedBy("io.gatun.engine..")
        .layer("façade")
        .definedBy("io.gatun")
        .layer("server")
        .definedBy("io.gatun.server..")
        .layer("langchain4j")
        .definedBy("io.gatun.langchain4j..")
        .layer("cli")
        .definedBy("io.gatun.cli..")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("langchain4j")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("server")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("façade")
        .mayOnlyBeAccessedByLayers("server", "langchain4j", "cli")
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers("façade", "server", "langchain4j", "cli")
        .whereLayer("model")
        .mayOnlyBeAccessedByLayers("engine", "façade", "server", "langchain4j", "cli")
        .whereLayer("tensor")
        .mayOnlyBeAccessedByLayers("model", "engine", "façade", "server", "langchain4j", "cli")
        .check(GATUN);
  }

  @Test
  void packages_have_no_cycles() {
    slices()
        .matching("io.gatun.(bindings|tensor|engine|cli)..")
        .should()
        .beFreeOfCycles()
        .check(GATUN);
    slices().matching("io.gatun.server.(*)..").should().beFreeOfCycles().check(GATUN);
  }

  @Test
  void only_two_packages_of_the_server_know_its_web_server() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.gatun.server", "io.gatun.server.http")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.helidon..")
        .check(GATUN);
  }

  @Test
  void native_memory_stays_below() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.gatun.bindings..", "io.gatun.tensor..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign..")
        .check(GATUN);
  }

  @Test
  void only_tensor_calls_native_functions() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.gatun.bindings..", "io.gatun.tensor..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.gatun.bindings.ggml..")
        .check(GATUN);
  }

  @Test
  void architectures_know_nothing_of_files_devices_or_caches() {
    noClasses()
        .that()
        .resideInAPackage("io.gatun.model.arch..")
        .should()
        .dependOnClassesThat()
        .haveNameMatching(".*(KvStore|Backend|Device|TensorStore|CachedAttention|GgufFile)")
        .check(GATUN);
  }

  @Test
  void only_the_command_line_prints() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.gatun.cli..", "io.gatun.bindings.ggml..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(GATUN);
  }

  @Test
  void the_core_needs_nothing_but_the_jdk() {
    classes()
        .that()
        .resideInAnyPackage(
            "io.gatun",
            "io.gatun.bindings..",
            "io.gatun.tensor..",
            "io.gatun.model..",
            "io.gatun.engine..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("io.gatun..", "java..", "com.sun.management..", "org.jspecify..")
        .check(GATUN);
  }
}
