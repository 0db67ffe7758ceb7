/** Whether to run tests at full size, which takes hours: `CRI_TEST_THOROUGH=1`. */
export const thorough = process.env.CRI_TEST_THOROUGH === "1";
