# Breaks a source file on purpose: cmake -DIN=file -DOUT=file -DMUTATION=name -P mutate.cmake
# Every replacement must find its text, so that a mutation never silently becomes none.
file(READ ${IN} source)

function(mutate old new)
  string(FIND "${source}" "${old}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "mutation ${MUTATION}: ${IN} no longer holds: ${old}")
  endif()
  string(REPLACE "${old}" "${new}" changed "${source}")
  set(source "${changed}" PARENT_SCOPE)
endfunction()

get_filename_component(name ${IN} NAME)
if(name STREQUAL "descent.c")
  # every step by the plain form, which calls sf_perturbed_point
  mutate("descent->kernels = fused ?" "descent->kernels = fused && 0 ?")
  if(MUTATION STREQUAL "step")
    mutate("double factor = descent->step_size * exp(log_scale)" "double factor = exp(log_scale)")
  endif()
elseif(name STREQUAL "batch.c") # its kernels take rho and eta from here
  if(MUTATION STREQUAL "sign")
    mutate("batch->rho[at] = value_of(" "batch->rho[at] = -value_of(")
  elseif(MUTATION STREQUAL "rho")
    mutate("batch->rho[at] = value_of(" "batch->rho[at] = 0.0 * value_of(")
  elseif(MUTATION STREQUAL "step")
    mutate("batch->eta[at] = value_of(spec->steps, i, spec->step)" "batch->eta[at] = 1.0")
  endif()
elseif(name STREQUAL "flow.c") # all its models take the perturbation from here
  if(MUTATION STREQUAL "rho")
    mutate("(flow_start){network, *perturbation, theta}"
           "(flow_start){network, {perturbation->method, 0.0, perturbation->p}, theta}")
  endif()
elseif(name STREQUAL "perturb.c")
  if(MUTATION STREQUAL "sign")
    mutate(".factor = perturbation->rho" ".factor = -perturbation->rho")
  elseif(MUTATION STREQUAL "rho")
    mutate(".factor = perturbation->rho" ".factor = 0.0 * perturbation->rho")
  endif()
elseif(MUTATION STREQUAL "sign")
  mutate("theta_hat[i] = theta[i] + e" "theta_hat[i] = theta[i] - e")
elseif(MUTATION STREQUAL "rho")
  mutate("if (!sf_perturbs(perturbation))" "if (true)")
elseif(MUTATION STREQUAL "norm")
  mutate("sf_network_gradient(network, theta, theta_hat, &log_scale)"
         "double cut = with_a_floor(network, theta, theta_hat, &log_scale)")
  mutate(".factor = perturbation->rho" ".factor = cut * perturbation->rho")
  mutate("void sf_perturbed_point("
         "static double with_a_floor(sf_network *network, const double *theta, double *gradient, double *log_scale)
{
    double square = 0.0;
    sf_network_gradient(network, theta, gradient, log_scale);
    for (size_t i = 0; i < sf_network_parameters(network); i++)
        square += gradient[i] * gradient[i];
    double norm = sqrt(square) * exp(*log_scale);
    return norm / (norm + 1e-12);
}

void sf_perturbed_point(")
endif()
file(WRITE ${OUT} "${source}")
